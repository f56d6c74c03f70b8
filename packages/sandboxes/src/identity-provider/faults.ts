/** How an identity provider fails the applications that trust it: as any server, and in what it says. */
import { z } from "zod";
import type { FaultQueue } from "../fault-queue.ts";
import { type FailureForms, httpFaults, where } from "../http-faults.ts";

const { count } = where;

export const IdentityProviderFault = z.discriminatedUnion("kind", [
  ...httpFaults,
  /** An ID token that OpenID Connect Core section 3.1.3.7 tells clients to refuse, and why they must. */
  z.object({
    kind: z.literal("id-token"),
    wrong: z.enum(["nonce", "aud", "iss", "exp", "alg", "signature"]),
    count,
  }),
  /** The answer at the redirect URI names another issuer (RFC 9207). */
  z.object({ kind: z.literal("response-issuer"), count }),
]);

export type IdentityProviderFault = z.infer<typeof IdentityProviderFault>;
export type IdTokenFault = Extract<IdentityProviderFault, { kind: "id-token" }>["wrong"];
export type IdentityProviderFaults = FaultQueue<IdentityProviderFault>;

export const failures: FailureForms = {
  answerError: (status, response) => {
    response.status(status).json({ error: "server_error" });
  },
  halfAnswer: '{"issuer":"http',
};
