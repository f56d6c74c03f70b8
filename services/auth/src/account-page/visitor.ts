/** Who looks at the account page: the owner of the account that the browser's session is for. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Account } from "../accounts/account.ts";
import type { FreshAccounts } from "../accounts/fresh-accounts.ts";
import type { CurrentProvider } from "../oidc/current-provider.ts";
import { recentS } from "../oidc/recent-sign-in.ts";
import { setSessionCookie } from "../oidc/session-cookie.ts";
import type { SecondFactor } from "../second-factor/create-second-factor.ts";
import {
  isBelow,
  levelNeeded,
  levelOf,
  type SecondFactors,
  together,
} from "../second-factor/second-factor.ts";

export type Visitor = {
  account: Account;
  enrolled: SecondFactors;
  sessionUid: string;
  /** Signed in so lately that nobody can have taken the session over since. */
  isRecent: boolean;
};

export type Visitors = {
  /** Undefined for who is not signed in, or not with the factors that their account needs by now. */
  find(request: IncomingMessage, response: ServerResponse): Promise<Visitor | undefined>;
  /**
   * The session of somebody who has just added a second factor, and proved it by that. It is another
   * session from then on: whoever knew the id of the one before knows nothing.
   */
  raise(request: IncomingMessage, response: ServerResponse, method: string): Promise<void>;
};

type Dependencies = {
  currentProvider: CurrentProvider;
  freshAccounts: FreshAccounts;
  secondFactor: Pick<SecondFactor, "factors" | "rolesThatNeedIt">;
  now?: () => number;
};

export function createVisitors(dependencies: Dependencies): Visitors {
  const { currentProvider, freshAccounts, secondFactor, now = Date.now } = dependencies;
  /** Asked for twice by each form: for its token, and by its page. */
  const found = new WeakMap<IncomingMessage, Promise<Visitor | undefined>>();

  const sessionOf = (request: IncomingMessage, response: ServerResponse) => {
    const provider = currentProvider();
    return provider.Session.get(provider.createContext(request, response));
  };

  const find = async (request: IncomingMessage, response: ServerResponse) => {
    const { accountId, amr, loginTs = 0, uid } = await sessionOf(request, response);
    const account = accountId ? await freshAccounts.find(accountId) : undefined;
    if (account?.status !== "active") return undefined;
    const enrolled = await secondFactor.factors.find(account.id);
    const needed = levelNeeded(account, enrolled, secondFactor.rolesThatNeedIt);
    if (isBelow(levelOf(amr), needed)) return undefined;
    const isRecent = now() <= (loginTs + recentS) * 1000;
    return { account, enrolled, sessionUid: uid, isRecent };
  };

  return {
    find(request, response) {
      const finding = found.get(request) ?? find(request, response);
      found.set(request, finding);
      return finding;
    },

    async raise(request, response, method) {
      const session = await sessionOf(request, response);
      session.amr = together(session.amr ?? [], method);
      session.acr = levelOf(session.amr);
      session.resetIdentifier();
      await session.persist();
      setSessionCookie(currentProvider(), request, response, session);
    },
  };
}
