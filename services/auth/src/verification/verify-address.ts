/**
 * Verification: the proof that an account's address is its owner's, by a link that only its mailbox
 * receives. How links are made and kept is `links/`'s; delivering mail is `mail/`'s.
 */
import type { Connection } from "mongoose";
import type { AccountStore } from "../accounts/account-store.ts";
import type { Attempts } from "../attempts/create-attempts.ts";
import { hashToken, LinkToken, refusalOf, unknownLink } from "../links/link.ts";
import type { LinkStore } from "../links/link-store.ts";

/** Uses a link; throws the problem that says why it cannot be used. */
export type VerifyAddress = (given: { token: string; address: string }) => Promise<void>;

/** Link and account change together: cut off in between, the link can be used again. */
export const verifyAddressWith =
  (
    connection: Connection,
    accounts: AccountStore,
    links: LinkStore,
    attempts: Pick<Attempts, "links">,
  ): VerifyAddress =>
  async ({ token, address }) => {
    await attempts.links.count(address);
    if (!LinkToken.safeParse(token).success) throw unknownLink();
    const tokenHash = hashToken(token);
    const used = await connection.transaction(async (session) => {
      const link = await links.use("verification", tokenHash, new Date(), session);
      if (!link) return false;
      await accounts.markEmailVerified(link.accountId, link.email, session);
      return true;
    });
    if (!used) throw refusalOf(await links.find("verification", tokenHash));
  };
