import { endpoint, notFound, permits } from "@portico/service-kit";
import { z } from "zod";
import type { SigningKeys } from "./signing-keys.ts";

/**
 * For a key that others may have. Services refuse what it signed within a second; people get new access
 * tokens with their refresh tokens, which it did not sign.
 */
export const removeSigningKey = (signingKeys: SigningKeys) =>
  endpoint({
    method: "delete",
    path: "/auth/signing-keys/:kid",
    summary: "Remove a leaked signing key",
    description:
      "Everything that it signed is refused. The next key takes over from an active one.",
    guard: permits("signing-keys:write", { roles: ["admin"] }),
    params: z.object({ kid: z.string().min(1).max(100) }),
    reply: { status: 204 },
    problems: [notFound],

    async handle({ params: { kid } }) {
      if (!(await signingKeys.remove(kid))) throw notFound();
      return undefined;
    },
  });
