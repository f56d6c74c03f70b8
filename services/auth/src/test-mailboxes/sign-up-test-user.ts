import { randomBytes, randomUUID } from "node:crypto";
import { anyone, endpoint, notFound, tooManyRequests } from "@portico/service-kit";
import type { Outbox } from "@portico/service-kit/events";
import { z } from "zod";
import { AccountId } from "../accounts/account.ts";
import type { AccountStore } from "../accounts/account-store.ts";
import { hashPassword } from "../accounts/password.ts";
import { newAccount } from "../accounts/sign-up.ts";
import type { Attempts } from "../attempts/create-attempts.ts";

type Dependencies = {
  accounts: Pick<AccountStore, "create">;
  outbox: Outbox;
  attempts: Pick<Attempts, "signUps">;
  /** Undefined where there is no test domain: then there are no test users. */
  testDomain: string | undefined;
};

/** A person for one test or canary: nobody's, with an address at the test domain that is verified already. */
export const signUpTestUser = ({ accounts, outbox, attempts, testDomain }: Dependencies) =>
  endpoint({
    method: "post",
    path: "/auth/test-users",
    summary: "Make a verified user for a test",
    description: "Only where a test domain is configured (`TEST_EMAIL_DOMAIN`): 404 elsewhere.",
    guard: anyone,
    reply: {
      status: 201,
      body: z.object({ id: AccountId, email: z.string(), password: z.string() }),
    },
    problems: [notFound, tooManyRequests],

    async handle({ address }) {
      if (!testDomain) throw notFound();
      await attempts.signUps.count(address);
      const email = `test-${randomUUID()}@${testDomain}`;
      const account = { ...newAccount(email, null), emailVerified: true };
      const password = randomBytes(24).toString("base64url");
      const passwordHash = await hashPassword(password);
      await outbox.transaction((session) => accounts.create(account, passwordHash, session));
      return { id: account.id, email, password };
    },
  });
