import { answer, anyone, endpoint, problemType, tooManyRequests } from "@portico/service-kit";
import { z } from "zod";
import type { IssueAccessToken } from "../oidc/issue-access-token.ts";
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
export const signIn = (authenticate: Authenticate, issueAccessToken: IssueAccessToken) =>
  endpoint({
    method: "post",
    path: "/auth/sign-in",
    summary: "Sign in",
    description: "For other applications there is the authorization code flow of OpenID Connect.",
    guard: anyone,
    body: z.object({ email: EmailAddress, password: GivenPassword }),
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
    problems: [invalidCredentials, accountSuspended, tooManyRequests],

    async handle({ body, address, header }) {
      const { account, attempts } = await authenticate({ ...body, address });
      if (!account) throw invalidCredentials();
      requireActive(account);
      const token = await onDevice(header("user-agent"), () => issueAccessToken(account));
      return answer(
        { ...token, account: toProfile(account), attempts },
        { headers: { "Cache-Control": "no-store" } },
      );
    },
  });
