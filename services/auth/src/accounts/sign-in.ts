import { answer, anyone, endpoint, problemType, tooManyRequests } from "@portico/service-kit";
import { z } from "zod";
import type { IssueAccessToken } from "../oidc/issue-access-token.ts";
import type { RequireSecondFactor } from "../second-factor/require-second-factor.ts";
import {
  enrolmentRequired,
  invalidSecondFactor,
  secondFactorRequired,
} from "../second-factor/second-factor.ts";
import { onDevice } from "../sessions/device.ts";
import { EmailAddress, Profile, toProfile } from "./account.ts";
import type { Authenticate } from "./authenticate.ts";
import { GivenPassword } from "./password.ts";
import { accountSuspended, requireActive } from "./require-active.ts";

const invalidCredentials = problemType(
  401,
  "invalid-credentials",
  "The e-mail address or the password is wrong.",
);

/** Trades address and password for an access token, for the platform's own front end. */
export const signIn = (
  authenticate: Authenticate,
  requireSecondFactor: RequireSecondFactor,
  issueAccessToken: IssueAccessToken,
) =>
  endpoint({
    method: "post",
    path: "/auth/sign-in",
    summary: "Sign in",
    description: "For other applications there is the authorization code flow of OpenID Connect.",
    guard: anyone,
    body: z.object({
      email: EmailAddress,
      password: GivenPassword,
      otp: z.string().max(20).optional().meta({ description: "Code of an authenticator app" }),
      recoveryCode: z.string().max(50).optional().meta({ description: "In place of `otp`" }),
    }),
    reply: {
      status: 200,
      body: z.object({
        accessToken: z.string().meta({ description: "RFC 9068 JWT" }),
        tokenType: z.literal("Bearer"),
        expiresIn: z.int().meta({ description: "Seconds" }),
        scope: z.string().meta({ description: "What the account's roles permit" }),
        account: Profile,
        attempts: z
          .int()
          .meta({ description: "This one, and those that failed since the last, from anywhere" }),
      }),
      headers: { "Cache-Control": "no-store" },
    },
    problems: [
      invalidCredentials,
      invalidSecondFactor,
      secondFactorRequired,
      enrolmentRequired,
      accountSuspended,
      tooManyRequests,
    ],

    async handle({ body, address, header }) {
      const { account, attempts } = await authenticate({ ...body, address });
      if (!account) throw invalidCredentials();
      requireActive(account);
      const amr = await requireSecondFactor(account, body);
      const token = await onDevice(header("user-agent"), () => issueAccessToken(account, amr));
      return answer(
        { ...token, account: toProfile(account), attempts },
        { headers: { "Cache-Control": "no-store" } },
      );
    },
  });
