import { conflict, endpoint, permits, problemType } from "@portico/service-kit";
import { PublishedKeys, toPublishedKeys } from "./published-key.ts";
import type { SigningKeys } from "./signing-keys.ts";

const nextKeyTooNew = problemType(
  conflict.status,
  "next-key-too-new",
  "Not everybody who verifies tokens has read the next key yet.",
);

/** What the old key signed stays valid. */
export const rotateSigningKeys = (signingKeys: SigningKeys, now: () => Date = () => new Date()) =>
  endpoint({
    method: "post",
    path: "/auth/signing-keys/rotation",
    summary: "Sign with the next key from now on",
    description: "It also happens by itself. For a key that others may have, delete it.",
    guard: permits("signing-keys:write", { roles: ["admin"] }),
    reply: { status: 200, body: PublishedKeys },
    problems: [nextKeyTooNew],

    async handle() {
      const { notBefore } = await signingKeys.rotate();
      if (notBefore) {
        const seconds = Math.ceil((notBefore.getTime() - now().getTime()) / 1000);
        throw nextKeyTooNew(undefined, {
          headers: { "Retry-After": String(Math.max(1, seconds)) },
        });
      }
      return toPublishedKeys(signingKeys.current());
    },
  });
