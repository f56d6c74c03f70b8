import { anyone, endpoint, tooManyRequests } from "@portico/service-kit";
import { z } from "zod";
import { LinkToken, linkProblems } from "../links/link.ts";
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
    body: z.object({ token: LinkToken }),
    reply: { status: 200, body: z.object({ status: z.literal("verified") }) },
    problems: [...linkProblems, tooManyRequests],

    async handle({ body: { token }, address }) {
      await verifyAddress({ token, address });
      return { status: "verified" as const };
    },
  });
