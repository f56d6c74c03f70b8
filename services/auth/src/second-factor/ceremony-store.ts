/**
 * WebAuthn ceremonies under way: a challenge for each, kept as a hash, good for one use by the session
 * or interaction that it was made for (WebAuthn Level 2 section 13.4.3).
 */
import { createHash, randomBytes } from "node:crypto";
import type { Connection } from "mongoose";

export type CeremonyKind = "registration" | "authentication";

export type CeremonyStore = {
  /** Answers the challenge. */
  begin(kind: CeremonyKind, boundTo: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Uses a challenge, base64url; false when it is not there, of other use, or too old. */
  end(kind: CeremonyKind, boundTo: string, challenge: string): Promise<boolean>;
};

type CeremonyDocument = { _id: string; kind: CeremonyKind; boundTo: string; expiresAt: Date };

/** What WebAuthn Level 2 section 15.1 recommends where people have to do something. */
export const ceremonyLifetimeMs = 5 * 60 * 1000;

export function createCeremonyStore(
  connection: Connection,
  now: () => number = Date.now,
): CeremonyStore {
  const ceremonies = connection
    .getClient()
    .db(connection.name)
    .collection<CeremonyDocument>("ceremonies");

  return {
    async begin(kind, boundTo) {
      const challenge = Uint8Array.from(randomBytes(32));
      const expiresAt = new Date(now() + ceremonyLifetimeMs);
      await ceremonies.insertOne({ _id: keyOf(challenge), kind, boundTo, expiresAt });
      return challenge;
    },

    async end(kind, boundTo, challenge) {
      const _id = keyOf(Buffer.from(challenge, "base64url"));
      const ended = await ceremonies.findOneAndDelete({ _id, kind, boundTo });
      return ended !== null && ended.expiresAt.getTime() > now();
    },
  };
}

const keyOf = (challenge: Uint8Array): string =>
  createHash("sha256").update(challenge).digest("base64url");
