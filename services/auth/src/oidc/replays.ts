/**
 * Proofs that were used: DPoP proofs (RFC 9449 section 11.1) and client assertions (RFC 7523 section 3).
 * In MongoDB rather than in Redis: Redis may be flushed at any moment, and each proof seen in the last
 * minutes could then be used a second time.
 */
import { isDuplicateKey } from "@portico/service-kit";
import type { mongo } from "mongoose";
import { type Adapter, errors } from "oidc-provider";
import type { Stored } from "./stored.ts";

export const keepReplays = (stored: mongo.Collection<Stored>): Partial<Adapter> => ({
  /** The library looks first and writes then. Here of two uses at once the unique index lets one in. */
  async upsert(id, payload, expiresInS = 0) {
    const now = Date.now();
    const expiresAt = new Date(now + expiresInS * 1000);
    try {
      // One that has ended may still lie there: MongoDB removes them once a minute.
      const ended = { _id: id, expiresAt: { $lt: new Date(now) } };
      await stored.replaceOne(ended, { payload, expiresAt }, { upsert: true });
    } catch (error) {
      if (isDuplicateKey(error)) throw new errors.InvalidRequest("this proof has been used");
      throw error;
    }
  },
});
