/**
 * What is kept of a session and of a grant beside what the protocol library keeps: on which device, and
 * when it was last used. The library writes a session at every authorization request anyway, so neither
 * costs a write of its own.
 */
import type { mongo } from "mongoose";
import type { Adapter, AdapterPayload } from "oidc-provider";
import { hash, type Stored } from "../oidc/stored.ts";
import { currentDevice } from "./device.ts";

export type KeptSession = Stored & { device?: string; usedAt?: Date };

export const besidePayload = (): Pick<KeptSession, "device" | "usedAt"> => {
  const device = currentDevice();
  return { ...(device && { device }), usedAt: new Date() };
};

/** Stands where a session was ended, under an id that no cookie has. */
export const endedId = (uid: string): string => `ended ${uid}`;

/**
 * The library writes a session back at the end of a request: one that was ended meanwhile must not come
 * back with it. So whoever writes looks afterwards, and whoever ends leaves a mark first.
 */
export const keepSessions = (stored: mongo.Collection<Stored>): Partial<Adapter> => ({
  async upsert(id: string, { jti: _, ...payload }: AdapterPayload, expiresInS = 0) {
    const uid = String(payload.uid);
    const document = {
      payload,
      uid,
      expiresAt: new Date(Date.now() + expiresInS * 1000),
      ...besidePayload(),
    };
    await stored.replaceOne({ _id: hash(id) }, document, { upsert: true });
    if (await stored.findOne({ _id: endedId(uid) })) await stored.deleteMany({ uid });
  },
});

export const keepGrants = (stored: mongo.Collection<Stored>): Partial<Adapter> => ({
  async upsert(id: string, payload: AdapterPayload, expiresInS = 0) {
    const expiresAt = new Date(Date.now() + expiresInS * 1000);
    const document = { payload, expiresAt, ...besidePayload() };
    await stored.replaceOne({ _id: id }, document, { upsert: true });
  },
});
