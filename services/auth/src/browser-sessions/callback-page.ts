/** Where the person comes back to, signed in: the browser gets its cookies, and goes on to its app. */
import type { ServerResponse } from "node:http";
import { type Logger, readCookie, type VerifyAccessToken } from "@portico/service-kit";
import type { FormTokens } from "../pages/form-token.ts";
import { html } from "../pages/html.ts";
import { redirect, sendPage } from "../pages/page.ts";
import { type Page, type PageRequest, toHandler } from "../pages/page-handler.ts";
import type { SessionStore } from "../sessions/session-store.ts";
import {
  type BrowserSession,
  browserSessionPath,
  callbackPath,
  cookiesOf,
  lifetimeMs,
  newSessionId,
  sessionCookie,
  type Tokens,
} from "./browser-session.ts";
import type { BrowserSessions } from "./create-browser-sessions.ts";
import { Refused } from "./own-client.ts";

type Dependencies = {
  browserSessions: BrowserSessions;
  verifyAccessToken: VerifyAccessToken;
  sessions: Pick<SessionStore, "endGrant">;
  formTokens: FormTokens;
  logger: Logger;
  now?: () => Date;
};

export const callbackPage = (dependencies: Dependencies) => {
  const { verifyAccessToken, sessions, formTokens, logger } = dependencies;
  const { ownClient, pendingSignIns, store, publicOrigin } = dependencies.browserSessions;
  const { now = () => new Date() } = dependencies;

  const begin = async (tokens: Tokens): Promise<BrowserSession> => {
    const { subject, grantId } = await verifyAccessToken(tokens.accessToken);
    if (!grantId) throw new Error("An access token of a person has no grant.");
    const expiresAt = new Date(now().getTime() + lifetimeMs);
    return { accountId: subject, grantId, tokens, expiresAt };
  };

  /** The one that this browser had before: nobody will ask for it again. */
  const endEarlier = async (request: PageRequest, { grantId }: BrowserSession) => {
    const earlierId = readCookie(request.headers.cookie, sessionCookie);
    const earlier = earlierId && (await store.find(earlierId, now()));
    if (!earlier) return;
    await store.remove(earlierId);
    if (earlier.grantId !== grantId) await sessions.endGrant(earlier.grantId);
  };

  const page: Page = {
    route: callbackPath,
    boundTo: () => "no form",

    async get(request, response) {
      const answer = new URL(request.url ?? "", "http://auth").searchParams;
      const { cookie } = request.headers;
      const pending = pendingSignIns.resume(answer.get("state") ?? "", cookie);
      if (!pending) {
        showEnded(response);
        return;
      }
      try {
        const tokens = await ownClient.exchange(answer, pending);
        if (tokens) {
          const session = await begin(tokens);
          await endEarlier(request, session);
          // Another id than whatever this browser sent: nobody can have chosen it (session fixation).
          const id = newSessionId();
          await store.create(id, session, now());
          response.appendHeader("Set-Cookie", cookiesOf(id, session, now()));
        }
        goOn(response, pending.returnTo, publicOrigin);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        logger.warn("browser-session.refused", { reason: error.reason });
        showEnded(response, pending.returnTo);
      }
    },
  };
  return toHandler(page, formTokens);
};

/**
 * The form of the sign-in page led here, by redirects alone, and its policy lets it lead to no other
 * origin. A frontend that has one is reached from a page of ours, which goes on by itself.
 */
function goOn(response: ServerResponse, returnTo: string, publicOrigin: string): void {
  if (new URL(returnTo).origin === publicOrigin) {
    redirect(response, returnTo);
    return;
  }
  response.setHeader("Refresh", `0; url=${returnTo}`);
  sendPage(response, "One moment", html`<p><a class="button" href="${returnTo}">Continue</a></p>`);
}

/** @param returnTo where the person wanted to be, when that is known */
function showEnded(response: ServerResponse, returnTo?: string): void {
  const query = returnTo ? `?${new URLSearchParams({ return_to: returnTo })}` : "";
  const content = html`<p class="wrong" role="alert">This sign-in has ended.</p>
<p><a class="button" href="${browserSessionPath}/start${query}">Sign in again</a></p>`;
  sendPage(response, "Sign in again", content, { status: 400 });
}
