import type { IncomingMessage, ServerResponse } from "node:http";
import type { CurrentProvider } from "./current-provider.ts";

/** Whom a browser's session belongs to; `sessionUid` is the id that lists of sessions have. */
export type SignedIn = { accountId: string; sessionUid: string };

/** Who is signed in in this browser, by the cookie that the protocol library gave it. */
export type FindSignedIn = (
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<SignedIn | undefined>;

export const findSignedInWith =
  (currentProvider: CurrentProvider): FindSignedIn =>
  async (request, response) => {
    const provider = currentProvider();
    const session = await provider.Session.get(provider.createContext(request, response));
    return session.accountId
      ? { accountId: session.accountId, sessionUid: session.uid }
      : undefined;
  };

/** What forms of a signed-in person's pages are bound to. */
export const sessionOf = (signedIn: Pick<SignedIn, "sessionUid"> | undefined): string =>
  `session ${signedIn?.sessionUid ?? "none"}`;
