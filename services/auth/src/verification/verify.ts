import { anyone, endpoint } from "@portico/service-kit";
import { z } from "zod";
import { expiredLink, unknownLink, usedLink, VerificationToken } from "./verification.ts";
import type { VerifyAddress } from "./verify-address.ts";

/** Verifies an address with the token of its link. A form on the link's own page does the same for people. */
export const verify = (verifyAddress: VerifyAddress) =>
  endpoint({
    method: "post",
    path: "/auth/verify",
    summary: "Verify an e-mail address",
    description:
      "Takes the token of the link in the mail. Opening the link alone verifies nothing.",
    guard: anyone,
    body: z.object({ token: VerificationToken }),
    reply: { status: 200, body: z.object({ status: z.literal("verified") }) },
    problems: [unknownLink, expiredLink, usedLink],

    async handle({ body: { token } }) {
      await verifyAddress(token);
      return { status: "verified" as const };
    },
  });
