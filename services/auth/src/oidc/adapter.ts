/**
 * How the protocol library keeps its state: a MongoDB collection for each kind. What proves something by
 * being known (a code, a session cookie) is kept under its hash only, so that nobody
 * who reads the database can use it. Expired documents go by TTL index; the library checks times itself.
 */
import { isDuplicateKey } from "@portico/service-kit";
import type { Connection, mongo } from "mongoose";
import { type Adapter, type AdapterFactory, type AdapterPayload, errors } from "oidc-provider";
import { browserSessionCollection } from "../browser-sessions/browser-session-store.ts";
import { keepDeviceCodes } from "../device/device-codes.ts";
import { readDocuments } from "../reads/read-together.ts";
import { familyCollection } from "../refresh-tokens/family-store.ts";
import type { Revoke } from "../revocation/revoke.ts";
import { keepGrants, keepSessions } from "../sessions/keep-sessions.ts";
import { keepReplays } from "./replays.ts";
import { hash, type Stored } from "./stored.ts";

type Kind = {
  collection: string;
  secretId: boolean;
  /** What this kind does in a way of its own. */
  own?: (stored: mongo.Collection<Stored>) => Partial<Adapter>;
};

/** Kind -> collection, and whether the id is a secret. */
const kinds: Record<string, Kind> = {
  Grant: { collection: "grants", secretId: false, own: keepGrants },
  Session: { collection: "sessions", secretId: true, own: keepSessions },
  Interaction: { collection: "interactions", secretId: true },
  AuthorizationCode: { collection: "authorizationCodes", secretId: true },
  DeviceCode: { collection: "deviceCodes", secretId: true, own: keepDeviceCodes },
  // Its id goes through the browser's address bar, and only begins a sign-in.
  PushedAuthorizationRequest: { collection: "pushedRequests", secretId: false },
  ReplayDetection: { collection: "replays", secretId: false, own: keepReplays },
};

/** Collections of what is worth nothing without its grant (`grantId`). */
export const boundToGrants = [
  "authorizationCodes",
  "deviceCodes",
  familyCollection,
  browserSessionCollection,
];

/** @param elsewhere kinds that another folder keeps */
export const createAdapters =
  (connection: Connection, elsewhere: Record<string, Adapter> = {}): AdapterFactory =>
  (kind) => {
    const own = elsewhere[kind];
    if (own) return own;
    const known = kinds[kind];
    if (!known) return keepsNothing(kind);
    const db = connection.getClient().db(connection.name);
    const stored = db.collection<Stored>(known.collection);
    return { ...createAdapter(stored, known.secretId), ...known.own?.(stored) };
  };

function createAdapter(stored: mongo.Collection<Stored>, secretId: boolean): Adapter {
  const keyOf = (id: string) => (secretId ? hash(id) : id);
  const read = readDocuments(stored);

  return {
    async upsert(id, payload, expiresInS) {
      const { jti, ...rest } = payload;
      const document = {
        payload: secretId ? withoutSessionCookie(rest) : payload,
        ...(payload.grantId && { grantId: payload.grantId }),
        ...(payload.uid && { uid: payload.uid }),
        ...(expiresInS && { expiresAt: new Date(Date.now() + expiresInS * 1000) }),
      };
      const save = () => stored.replaceOne({ _id: keyOf(id) }, document, { upsert: true });
      // Two upserts of a new id at once: the unique index lets one insert, the other replaces it.
      await save().catch((error) => (isDuplicateKey(error) ? save() : Promise.reject(error)));
    },

    async find(id) {
      const document = await read(keyOf(id));
      return document ? toPayload(document, secretId ? id : undefined) : undefined;
    },

    async findByUid(uid) {
      const document = await stored.findOne({ uid });
      return document ? toPayload(document) : undefined;
    },

    findByUserCode: () => Promise.reject(new Error("Only a device code has a user code.")),

    /** Guarded in the query: of two uses at once, one gets it. */
    async consume(id) {
      const { matchedCount } = await stored.updateOne(
        { _id: keyOf(id), consumedAt: { $exists: false } },
        { $set: { consumedAt: new Date() } },
      );
      if (matchedCount === 0) throw new errors.InvalidGrant("already used");
    },

    async destroy(id) {
      await stored.deleteOne({ _id: keyOf(id) });
    },

    async revokeByGrantId(grantId) {
      await stored.deleteMany({ grantId });
    },
  };
}

/** An interaction remembers the cookie of the session that it began in; nothing ever reads it. */
const withoutSessionCookie = (payload: AdapterPayload): AdapterPayload => {
  if (!payload.session) return payload;
  const { cookie: _, ...session } = payload.session;
  return { ...payload, session: session as typeof payload.session };
};

const toPayload = ({ payload, consumedAt }: Stored, jti?: string): AdapterPayload => ({
  ...payload,
  ...(jti && { jti }),
  ...(consumedAt && { consumed: Math.floor(consumedAt.getTime() / 1000) }),
});

/** Access tokens are JWTs, kept nowhere; what ends a grant (a logout, a theft, a client) ends them too. */
export const accessTokenAdapter = (revoke: Pick<Revoke, "grant">): Adapter => ({
  ...keepsNothing("AccessToken"),
  revokeByGrantId: (grantId) => revoke.grant(grantId),
});

/** What is not enabled here fails when it is first kept. */
const keepsNothing = (kind: string): Adapter => ({
  upsert: () => Promise.reject(new Error(`${kind} is not kept: is a feature enabled by mistake?`)),
  find: () => Promise.resolve(undefined),
  findByUid: () => Promise.resolve(undefined),
  findByUserCode: () => Promise.resolve(undefined),
  consume: () => Promise.resolve(),
  destroy: () => Promise.resolve(),
  revokeByGrantId: () => Promise.resolve(),
});
