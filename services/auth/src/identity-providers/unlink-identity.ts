import { endpoint, notFound, signedInWithin } from "@portico/service-kit";
import { z } from "zod";
import { recentS } from "../oidc/recent-sign-in.ts";
import { isOf } from "../sessions/session.ts";
import type { SessionStore } from "../sessions/session-store.ts";
import type { IdentityProviders } from "./create-identity-providers.ts";
import { LinkedIdentityId, lastWayIn } from "./linked-identity.ts";

export const unlinkIdentity = (
  providers: Pick<IdentityProviders, "linking">,
  sessions: Pick<SessionStore, "list">,
) =>
  endpoint({
    method: "delete",
    path: "/auth/users/me/identities/:identityId",
    summary: "Unlink an identity from your account",
    description:
      "Needs a sign-in of the last five minutes (RFC 9470), and another way into the account. Ends every other session: one of them may have begun with that identity.",
    guard: signedInWithin(recentS),
    params: z.object({ identityId: LinkedIdentityId }),
    reply: { status: 204 },
    problems: [notFound, lastWayIn],

    async handle({ caller, params }) {
      const all = await sessions.list(caller.subject);
      const current = all.find((session) => isOf(session, caller.grantId));
      await providers.linking.unlink(caller.subject, params.identityId, current?.id);
      return undefined;
    },
  });
