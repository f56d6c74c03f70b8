/** Whose account somebody opens who comes from a provider: the rules of docs/decisions/0010. */
import { randomUUID } from "node:crypto";
import { type Account, freshStanding } from "../accounts/account.ts";
import type { AccountStore } from "../accounts/account-store.ts";
import type { ProvidedIdentity } from "./identity-provider.ts";
import type { LinkedIdentityStore } from "./linked-identity-store.ts";
import type { Arrival, Linking } from "./linking.ts";

export type Outcome =
  /** This person has come before, or has a new account. */
  | { kind: "welcome"; account: Account }
  /** The address has an account: whoever proves that it is theirs links it. */
  | { kind: "prove"; email: string }
  /** The provider does not say that the address is theirs. */
  | { kind: "unproved" };

export type Receive = (arrival: Arrival) => Promise<Outcome>;

type Dependencies = {
  accounts: Pick<AccountStore, "find" | "findByEmail">;
  identities: LinkedIdentityStore;
  linking: Pick<Linking, "createAccount">;
  now?: () => Date;
};

export const receiveWith =
  ({ accounts, identities, linking, now = () => new Date() }: Dependencies): Receive =>
  async (arrival) => {
    const { identity } = arrival;

    const findLinked = async (): Promise<Outcome | undefined> => {
      const linked = await identities.find(identity.issuer, identity.subject);
      const account = linked && (await accounts.find(linked.accountId));
      if (!account) return undefined;
      await identities.used(linked.id, identity.email, now());
      return { kind: "welcome", account };
    };

    const known = await findLinked();
    if (known) return known;
    const { email, emailVerified } = identity;
    // Before any look at accounts: the answer must not tell whether the address has one.
    if (!email || !emailVerified) return { kind: "unproved" };
    const account = newAccount(email, identity, now());
    const isTaken = (await accounts.findByEmail(email)) !== undefined;
    if (!isTaken && (await linking.createAccount(account, arrival))) {
      return { kind: "welcome", account };
    }
    // Perhaps by the same person, who comes in another tab at the same moment.
    return (await findLinked()) ?? { kind: "prove", email };
  };

const newAccount = (email: string, { name }: ProvidedIdentity, now: Date): Account => ({
  id: randomUUID(),
  email,
  name: name ?? null,
  emailVerified: true,
  roles: ["member"],
  premiumUntil: null,
  createdAt: now,
  ...freshStanding,
});
