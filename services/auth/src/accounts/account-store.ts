/** The only file that knows how accounts are kept. */
import mongoose, { type ClientSession, type Connection, Schema } from "mongoose";
import type { Role } from "../roles/role.ts";
import { type Account, type AccountStatus, freshStanding } from "./account.ts";

type AccountDocument = {
  _id: string;
  email: string;
  passwordHash: string | null;
  name: string | null;
  emailVerified: boolean;
  roles: Role[];
  premiumUntil: Date | null;
  createdAt: Date;
  status?: AccountStatus;
  tokenVersion?: number;
  /** Counts locks: a write that changes nothing would lock nothing. */
  waysInLocked?: number;
  standingLocked?: number;
  signUpRepeatedAt?: Date;
};

/** An account with the proof of its password; null when it has none: another identity provider opens it. */
export type Credentials = { account: Account; passwordHash: string | null };

/** @property after the last address of the page before */
export type EmailQuery = { prefix: string; after: string | undefined; limit: number };

export type Standing = { status?: AccountStatus | undefined; roles?: readonly Role[] | undefined };

export type AccountStore = {
  /** Fails with MongoDB's duplicate key when the address is taken. */
  create(account: Account, passwordHash: string | null, session: ClientSession): Promise<void>;
  find(id: string, session?: ClientSession): Promise<Account | undefined>;
  /** One query for all of them; what is not there is left out. */
  findAll(ids: readonly string[]): Promise<Account[]>;
  findByEmail(email: string): Promise<Account | undefined>;
  findCredentials(email: string): Promise<Credentials | undefined>;
  /** Makes or changes the account with this address; its id and age stay. Answers the id. */
  put(account: Account, passwordHash: string): Promise<string>;
  /** In the order of their addresses. */
  listByEmail(query: EmailQuery): Promise<Account[]>;
  /** What is undefined stays. Tokens from before must be revoked with it: administer.ts. */
  setStanding(id: string, standing: Standing, session: ClientSession): Promise<void>;
  /** Answers the new version; undefined when there is no such account. */
  raiseTokenVersion(id: string, session: ClientSession): Promise<number | undefined>;
  /**
   * In a transaction that adds or takes away a way in: of two at once, the second sees what the first
   * did. Answers whether a password is one; undefined when there is no such account.
   */
  lockWaysIn(id: string, session: ClientSession): Promise<{ hasPassword: boolean } | undefined>;
  /**
   * In a transaction of an administrator's: of two who act upon one another at once, the second sees
   * what the first did. Undefined when there is no such account.
   */
  lockStanding(id: string, session: ClientSession): Promise<Required<Standing> | undefined>;
  hasPassword(id: string): Promise<boolean>;
  setName(id: string, name: string | null): Promise<void>;
  /** Nobody sees it; it costs what making an account costs. */
  noteSignUpRepeated(id: string, at: Date, session: ClientSession): Promise<void>;
  /** Answers false when the account is gone, or has another address by now. */
  setPassword(
    account: { id: string; email: string },
    passwordHash: string,
    session: ClientSession,
  ): Promise<boolean>;
  /** Only while the account still has the address that was proved. */
  markEmailVerified(id: string, email: string, session: ClientSession): Promise<void>;
  /** False when there is no such account. */
  remove(id: string, session: ClientSession): Promise<boolean>;
};

const accountSchema = new Schema<AccountDocument>(
  {
    _id: { type: String, required: true },
    email: { type: String, required: true },
    passwordHash: { type: String, default: null },
    name: { type: String, default: null },
    emailVerified: { type: Boolean, required: true },
    roles: { type: [String], required: true },
    premiumUntil: { type: Date, default: null },
    createdAt: { type: Date, required: true },
    status: { type: String },
    tokenVersion: { type: Number },
    waysInLocked: { type: Number },
    standingLocked: { type: Number },
    signUpRepeatedAt: { type: Date },
  },
  { collection: "accounts", versionKey: false },
);

const toAccount = ({
  _id,
  passwordHash: _,
  waysInLocked: __,
  standingLocked: ___,
  signUpRepeatedAt: ____,
  ...rest
}: AccountDocument): Account => ({
  id: _id,
  // Not in documents that are older than these fields.
  ...freshStanding,
  ...rest,
});

const withoutPassword = {
  passwordHash: 0,
  waysInLocked: 0,
  standingLocked: 0,
  signUpRepeatedAt: 0,
} as const;

export function createAccountStore(connection: Connection): AccountStore {
  const accounts = connection.model("Account", accountSchema);

  const findAll = async (ids: readonly string[]) => {
    const found = await accounts
      .find({ _id: mongoose.trusted({ $in: [...ids] }) }, withoutPassword)
      .lean<AccountDocument[]>();
    return found.map(toAccount);
  };

  return {
    findAll,

    async create({ id, ...rest }, passwordHash, session) {
      await accounts.create([{ _id: id, ...rest, passwordHash }], { session });
    },

    async find(id, session) {
      const document = await accounts
        .findById(id, withoutPassword, { session })
        .lean<AccountDocument>();
      return document ? toAccount(document) : undefined;
    },

    async findByEmail(email) {
      const document = await accounts.findOne({ email }, withoutPassword).lean<AccountDocument>();
      return document ? toAccount(document) : undefined;
    },

    async findCredentials(email) {
      const document = await accounts.findOne({ email }).lean<AccountDocument>();
      return document
        ? { account: toAccount(document), passwordHash: document.passwordHash }
        : undefined;
    },

    async put({ id, email, createdAt, status, tokenVersion, ...rest }, passwordHash) {
      const document = await accounts
        .findOneAndUpdate(
          { email },
          {
            $set: { ...rest, passwordHash },
            $setOnInsert: { _id: id, createdAt, status, tokenVersion },
          },
          { upsert: true, returnDocument: "after", projection: { _id: 1 } },
        )
        .lean<{ _id: string }>()
        .orFail();
      return document._id;
    },

    async listByEmail({ prefix, after, limit }) {
      // A range rather than an expression: the index answers it, and nobody can write one. Addresses
      // are ASCII, so what comes after a prefix is below the highest code point.
      const range = { $gte: prefix, $lt: `${prefix}\u{10ffff}`, ...(after && { $gt: after }) };
      const found = await accounts
        .find({ email: mongoose.trusted(range) }, withoutPassword)
        .sort({ email: 1 })
        .limit(limit)
        .lean<AccountDocument[]>();
      return found.map(toAccount);
    },

    async setStanding(id, { status, roles }, session) {
      const changed = { ...(status && { status }), ...(roles && { roles: [...roles] }) };
      await accounts.updateOne({ _id: id }, { $set: changed }, { session });
    },

    async raiseTokenVersion(id, session) {
      const document = await accounts
        .findOneAndUpdate(
          { _id: id },
          { $inc: { tokenVersion: 1 } },
          { session, returnDocument: "after", projection: { tokenVersion: 1 } },
        )
        .lean<Pick<AccountDocument, "tokenVersion">>();
      return document?.tokenVersion;
    },

    async lockWaysIn(id, session) {
      const document = await accounts
        .findOneAndUpdate(
          { _id: id },
          { $inc: { waysInLocked: 1 } },
          { session, projection: { passwordHash: 1 } },
        )
        .lean<Pick<AccountDocument, "passwordHash">>();
      return document ? { hasPassword: document.passwordHash !== null } : undefined;
    },

    async lockStanding(id, session) {
      const document = await accounts
        .findOneAndUpdate(
          { _id: id },
          { $inc: { standingLocked: 1 } },
          { session, projection: { roles: 1, status: 1 } },
        )
        .lean<Pick<AccountDocument, "roles" | "status">>();
      return document ? { roles: document.roles, status: document.status ?? "active" } : undefined;
    },

    async hasPassword(id) {
      return (
        (await accounts.exists({ _id: id, passwordHash: mongoose.trusted({ $ne: null }) })) !== null
      );
    },

    async setName(id, name) {
      await accounts.updateOne({ _id: id }, { name });
    },

    async noteSignUpRepeated(id, at, session) {
      await accounts.updateOne({ _id: id }, { signUpRepeatedAt: at }, { session });
    },

    async setPassword({ id, email }, passwordHash, session) {
      const changed = await accounts.updateOne({ _id: id, email }, { passwordHash }, { session });
      return changed.matchedCount === 1;
    },

    async markEmailVerified(id, email, session) {
      await accounts.updateOne({ _id: id, email }, { emailVerified: true }, { session });
    },

    async remove(id, session) {
      const { deletedCount } = await accounts.deleteOne({ _id: id }, { session });
      return deletedCount === 1;
    },
  };
}
