/**
 * Revocations: access tokens that are refused before they expire, named by what their claims say. The
 * list is in memory, so a look at it costs no call; follow-revocations.ts keeps it complete. What is on
 * it stays there until no token that it refuses could be used any more.
 */
import { z } from "zod";

const id = z.string().min(1);
/** Seconds since 1970, when the revocation may be forgotten. */
const until = z.int();

export const Revocation = z.discriminatedUnion("kind", [
  /** Of a subject, every token with a lower `account_version`. */
  z.object({ kind: z.literal("account"), id, below: z.int(), until }),
  z.object({ kind: z.literal("grant"), id, until }),
  /** Of a client, every token with an earlier `iat`. */
  z.object({ kind: z.literal("client"), id, issuedBefore: z.int(), until }),
  /** One token (`jti`). */
  z.object({ kind: z.literal("token"), id, until }),
  /** Everything that this signing key (`kid`) signed. */
  z.object({ kind: z.literal("key"), id, until }),
]);

export type Revocation = z.output<typeof Revocation>;

/** Without word from the issuer for longer than this, nobody is let in: who is revoked is not known. */
export const longestBlindMs = 60_000;

/** What a revocation can name a token by. */
export type TokenIdentity = {
  id: string | undefined;
  subject: string;
  accountVersion: number;
  grantId: string | undefined;
  clientId: string;
  issuedAt: number;
  keyId: string | undefined;
};

/** What the verification of a token asks. */
export type Revocations = {
  /** Another one whenever something was added: a token that was not revoked still is not while it is the same. */
  readonly version: number;
  isRevoked(token: TokenIdentity): boolean;
  /** Whether the list was known to be complete a while ago at most (`longestBlindMs`). */
  isCurrent(): boolean;
  onKeyRevoked(listener: (keyId: string) => void): void;
};

export type RevocationList = Revocations & {
  add(revocations: readonly Revocation[]): void;
  /** Everything that was revoked by now is in the list. */
  markComplete(): void;
  /** Milliseconds since then; Infinity before the first time. */
  ageMs(): number;
  size(): number;
};

type Kind = Revocation["kind"];

/** Revocations of one kind by id; of two for one id, what reaches further. */
type Entries = Map<string, { limit: number; until: number }>;

const limitOf = (revocation: Revocation): number => {
  if (revocation.kind === "account") return revocation.below;
  return revocation.kind === "client" ? revocation.issuedBefore : 0;
};

/** How often what is over is looked for. */
const pruneEveryMs = 60_000;

export function createRevocationList(now: () => number = Date.now): RevocationList {
  const lists: Record<Kind, Entries> = {
    account: new Map(),
    grant: new Map(),
    client: new Map(),
    token: new Map(),
    key: new Map(),
  };
  const { account, grant, client, token: single, key } = lists;
  const keyListeners: ((keyId: string) => void)[] = [];
  let version = 0;
  let completeAt = Number.NEGATIVE_INFINITY;
  let isCurrent = false;
  let prunedAt = now();
  // A timer, since each verification asks: to read a clock costs more than all the rest of it.
  const blind = setTimeout(() => {
    isCurrent = false;
  }, longestBlindMs).unref();

  const put = (revocation: Revocation) => {
    const entries = lists[revocation.kind];
    const known = entries.get(revocation.id);
    entries.set(revocation.id, {
      limit: Math.max(limitOf(revocation), known?.limit ?? 0),
      until: Math.max(revocation.until, known?.until ?? 0),
    });
    if (revocation.kind === "key" && !known) for (const tell of keyListeners) tell(revocation.id);
  };

  const prune = () => {
    if (now() - prunedAt < pruneEveryMs) return;
    prunedAt = now();
    for (const entries of Object.values(lists)) {
      for (const [id, { until }] of entries) if (until * 1000 < now()) entries.delete(id);
    }
  };

  return {
    get version() {
      return version;
    },

    isRevoked: (token) =>
      token.accountVersion < (account.get(token.subject)?.limit ?? 0) ||
      (token.grantId !== undefined && grant.has(token.grantId)) ||
      token.issuedAt < (client.get(token.clientId)?.limit ?? 0) ||
      (token.id !== undefined && single.has(token.id)) ||
      (token.keyId !== undefined && key.has(token.keyId)),

    isCurrent: () => isCurrent,

    onKeyRevoked(listener) {
      keyListeners.push(listener);
    },

    add(revocations) {
      prune();
      if (revocations.length === 0) return;
      version += 1;
      for (const revocation of revocations) put(revocation);
    },

    markComplete() {
      completeAt = performance.now();
      isCurrent = true;
      blind.refresh();
    },

    ageMs: () => performance.now() - completeAt,

    size: () => Object.values(lists).reduce((sum, entries) => sum + entries.size, 0),
  };
}
