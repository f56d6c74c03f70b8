import { endpoint, forbidden, signedIn } from "@portico/service-kit";
import type { SessionStore } from "./session-store.ts";

/**
 * Ends what the presented token was granted, and with it that token everywhere. A browser's session in
 * which it was granted goes on; `DELETE /auth/sessions/{sessionId}` ends that.
 */
export const signOut = (sessions: SessionStore) =>
  endpoint({
    method: "post",
    path: "/auth/sign-out",
    summary: "Sign out",
    description: "The access token, and what refreshes it, is refused from then on.",
    guard: signedIn,
    reply: { status: 204 },

    async handle({ caller }) {
      if (!caller.grantId) throw forbidden("A client that speaks for itself has not signed in.");
      await sessions.endGrant(caller.grantId);
      return undefined;
    },
  });
