import { endpoint, permits } from "@portico/service-kit";
import { PublishedKeys, toPublishedKeys } from "./published-key.ts";
import type { SigningKeys } from "./signing-keys.ts";

/** What `/auth/jwks` publishes, with what each key is for. */
export const listSigningKeys = (signingKeys: SigningKeys) =>
  endpoint({
    method: "get",
    path: "/auth/signing-keys",
    summary: "List the signing keys",
    guard: permits("signing-keys:read", { roles: ["admin"] }),
    reply: { status: 200, body: PublishedKeys },
    handle: () => toPublishedKeys(signingKeys.current()),
  });
