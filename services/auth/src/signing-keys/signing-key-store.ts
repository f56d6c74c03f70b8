/**
 * The only file that knows how signing keys are kept: whole, sealed with the key ring, under their `kid`.
 * What is published is taken from what was sealed, so whoever can write to the database cannot have a key
 * of their own published.
 */
import { isDuplicateKey } from "@portico/service-kit";
import type { ClientSession, Connection } from "mongoose";
import type { KeyRing } from "../key-ring/key-ring.ts";
import { type KeyState, PrivateJwk, type SigningKey } from "./signing-key.ts";

type SigningKeyDocument = {
  _id: string;
  state: KeyState;
  sealed: string;
  createdAt: Date;
  activatedAt: Date | null;
  retiredAt: Date | null;
};

/** One key takes over from another, and a new one comes next. */
export type Rotation = { active: string; next: string; newNext: SigningKey; at: Date };

export type SigningKeyStore = {
  /** Throws WrongKey when the key ring does not open one of them. */
  list(): Promise<SigningKey[]>;
  /** The very first keys. False when another instance has made them. */
  begin(active: SigningKey, next: SigningKey): Promise<boolean>;
  rotate(rotation: Rotation, session: ClientSession): Promise<void>;
  add(key: SigningKey, session: ClientSession): Promise<void>;
  remove(kid: string, session?: ClientSession): Promise<void>;
  /** With the keys as they are in it: of two changes at once, one sees what the other has done. */
  change<T>(work: (keys: readonly SigningKey[], session: ClientSession) => Promise<T>): Promise<T>;
};

const contextOf = (kid: string): string => `signing key ${kid}`;

export function createSigningKeyStore(connection: Connection, keyRing: KeyRing): SigningKeyStore {
  const keys = connection
    .getClient()
    .db(connection.name)
    .collection<SigningKeyDocument>("signingKeys");

  const seal = (kid: string, privateJwk: PrivateJwk) =>
    keyRing.seal(JSON.stringify(privateJwk), contextOf(kid));

  const toDocument = ({ kid, privateJwk, ...rest }: SigningKey): SigningKeyDocument => ({
    _id: kid,
    ...rest,
    sealed: seal(kid, privateJwk),
  });

  const open = ({ _id, sealed, ...rest }: SigningKeyDocument) => {
    const { plaintext, byFirst } = keyRing.open(sealed, contextOf(_id));
    const privateJwk = PrivateJwk.parse(JSON.parse(plaintext));
    return { key: { ...rest, kid: _id, privateJwk }, sealed, byFirst };
  };

  /** So that the older key of the ring, which sealed it, can be taken away. */
  const sealAgain = async ({ key: { kid, privateJwk }, sealed }: ReturnType<typeof open>) => {
    await keys.updateOne({ _id: kid, sealed }, { $set: { sealed: seal(kid, privateJwk) } });
  };

  return {
    async list() {
      const opened = (await keys.find().toArray()).map(open);
      await Promise.all(opened.filter(({ byFirst }) => !byFirst).map(sealAgain));
      return opened.map(({ key }) => key);
    },

    change: (work) =>
      connection.transaction(async (session) => {
        const documents = await keys.find({}, { session }).toArray();
        const found = documents.map((document) => open(document).key);
        return work(found, session);
      }),

    begin: (active, next) =>
      connection
        .transaction((session) => keys.insertMany([active, next].map(toDocument), { session }))
        .then(
          () => true,
          (error) => (isDuplicateKey(error) ? false : Promise.reject(error)),
        ),

    async rotate({ active, next, newNext, at }, session) {
      await keys.updateOne(
        { _id: active, state: "active" },
        { $set: { state: "retired", retiredAt: at } },
        { session },
      );
      await keys.updateOne(
        { _id: next, state: "next" },
        { $set: { state: "active", activatedAt: at } },
        { session },
      );
      await keys.insertOne(toDocument(newNext), { session });
    },

    async add(key, session) {
      await keys.insertOne(toDocument(key), { session });
    },

    async remove(kid, session) {
      await keys.deleteOne({ _id: kid }, { ...(session && { session }) });
    },
  };
}
