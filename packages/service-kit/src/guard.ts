/**
 * Guards: who may reach an endpoint at all, decided from the access token alone. What a caller may
 * do with one particular resource is a policy: a pure rule in that resource's own folder.
 */
import { type Caller, missingToken } from "./access-token.ts";
import { forbidden, unauthenticated } from "./problem.ts";

/** `C` is what the handler gets as its caller. */
export type Guard<C extends Caller | undefined = Caller | undefined> = {
  /** False when the endpoint answers without a token. */
  readonly requiresToken: boolean;
  /** Shown in the OpenAPI document. */
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  /** Returns the caller, or throws 401 or 403. */
  admit(caller: Caller | undefined): C;
};

/** Public. A token that is sent all the same is verified, and a bad one refused. */
export const anyone: Guard = {
  requiresToken: false,
  scopes: [],
  roles: [],
  admit: (caller) => caller,
};

/** Anyone with a valid access token. */
export const signedIn: Guard<Caller> = {
  requiresToken: true,
  scopes: [],
  roles: [],
  admit: requireCaller,
};

function requireCaller(caller: Caller | undefined): Caller {
  if (!caller) throw missingToken();
  return caller;
}

/**
 * Who has signed in no longer ago than this: for what whoever took over a session must not do. The
 * refusal is RFC 9470's, so that a client knows to send the person to sign in again (`max_age`).
 */
export const signedInWithin = (seconds: number, now: () => number = Date.now): Guard<Caller> => ({
  ...signedIn,
  admit(candidate) {
    const caller = requireCaller(candidate);
    const authenticatedAtMs = caller.authenticatedAt?.getTime() ?? 0;
    if (authenticatedAtMs < now() - seconds * 1000) throw tooLongAgo(seconds);
    return caller;
  },
});

const tooLongAgo = (seconds: number) =>
  unauthenticated(`Sign in again: it must not be longer ago than ${seconds} seconds.`, {
    headers: {
      "WWW-Authenticate": `Bearer error="insufficient_user_authentication", max_age="${seconds}"`,
    },
  });

type Demands = {
  /** At least one of these. */
  roles?: readonly string[];
  /** The account's e-mail address must be verified. A client that speaks for itself has none. */
  verified?: boolean;
};

/**
 * A caller whose token carries the scope `permission` (`resource:action`), and meets the demands.
 * Refusals say what is missing, and RFC 6750 section 3.1's `insufficient_scope`.
 */
export function permits(permission: string, demands: Demands = {}): Guard<Caller> {
  const roles = demands.roles ?? [];
  const insufficientScope = {
    headers: { "WWW-Authenticate": `Bearer error="insufficient_scope", scope="${permission}"` },
  };
  return {
    requiresToken: true,
    scopes: [permission],
    roles,
    admit(candidate) {
      const caller = requireCaller(candidate);
      if (!caller.scopes.has(permission)) {
        throw forbidden(`The access token lacks the scope ${permission}.`, insufficientScope);
      }
      if (roles.length > 0 && !roles.some((role) => caller.roles.has(role))) {
        throw forbidden(`One of these roles is needed: ${roles.join(", ")}.`);
      }
      if (demands.verified && !caller.emailVerified && !isClient(caller)) {
        throw forbidden("The account's e-mail address must be verified first.");
      }
      return caller;
    },
  };
}

/** RFC 9068 section 2.2: without a person, the client is the subject. */
const isClient = ({ subject, clientId }: Caller): boolean => subject === clientId;
