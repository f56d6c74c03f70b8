import type { Migration } from "@portico/service-kit";
import { inboxMigration, outboxMigration } from "@portico/service-kit/events";
import type { mongo } from "mongoose";

/** How long a link is remembered after it ended, to answer "expired" and "used" rather than "unknown". */
const linkRememberedS = 7 * 86_400;

/** How long a receipt tells that an erasure is complete. */
const receiptKeptS = 90 * 86_400;

const expiring = ["grants", "sessions", "interactions", "authorizationCodes", "refreshTokens"];

export const migrations: readonly Migration[] = [
  outboxMigration,
  inboxMigration,
  {
    id: "0001-accounts-one-for-each-address",
    async up(db) {
      await db.collection("accounts").createIndex({ email: 1 }, { unique: true });
    },
  },
  {
    id: "0002-verifications-end",
    async up(db) {
      await db
        .collection("verifications")
        .createIndex({ expiresAt: 1 }, { expireAfterSeconds: linkRememberedS });
    },
  },
  {
    id: "0003-protocol-state",
    async up(db) {
      for (const name of expiring) await endsByItself(db.collection(name));
      for (const name of ["authorizationCodes", "refreshTokens"]) {
        await db.collection(name).createIndex({ grantId: 1 });
      }
      await db.collection("sessions").createIndex({ uid: 1 });
    },
  },
  {
    id: "0004-devices-pushed-requests-replays",
    async up(db) {
      for (const name of ["deviceCodes", "pushedRequests", "replays"]) {
        await endsByItself(db.collection(name));
      }
      await db.collection("deviceCodes").createIndex({ userCodeHash: 1 }, { unique: true });
      await db.collection("deviceCodes").createIndex({ grantId: 1 }, { sparse: true });
    },
  },
  {
    id: "0005-refresh-token-families",
    async up(db) {
      const families = db.collection("refreshTokenFamilies");
      await endsByItself(families);
      await families.createIndex({ grantId: 1 });
      await families.createIndex({ accountId: 1 });
      // Each token was kept by itself there, and is refused now.
      await db.dropCollection("refreshTokens");
    },
  },
  {
    id: "0006-revocations-and-sessions",
    async up(db) {
      await endsByItself(db.collection("revocations"));
      for (const name of ["sessions", "grants"]) {
        await db.collection(name).createIndex({ "payload.accountId": 1 });
      }
    },
  },
  {
    id: "0007-second-factors",
    async up(db) {
      // Partial: in a plain index two people without a passkey would have the same one.
      await db
        .collection("secondFactors")
        .createIndex(
          { "passkeys.id": 1 },
          { unique: true, partialFilterExpression: { "passkeys.id": { $exists: true } } },
        );
      await endsByItself(db.collection("ceremonies"));
    },
  },
  {
    id: "0008-erasures",
    async up(db) {
      const erasures = db.collection("erasures");
      await erasures.createIndex({ accountId: 1 }, { unique: true, sparse: true });
      await erasures.createIndex({ askAt: 1 }, { sparse: true });
      await erasures.createIndex({ completedAt: 1 }, { expireAfterSeconds: receiptKeptS });
    },
  },
  {
    id: "0009-mailed-links",
    async up(db) {
      const links = db.collection("links");
      await links.createIndex({ tokenHash: 1 }, { unique: true });
      await links.createIndex({ accountId: 1 });
      await links.createIndex({ expiresAt: 1 }, { expireAfterSeconds: linkRememberedS });
      // Those that were mailed before end within the hour anyway.
      await db.dropCollection("verifications");
    },
  },
  {
    id: "0010-identity-providers",
    async up(db) {
      const linked = db.collection("linkedIdentities");
      await linked.createIndex({ issuer: 1, subject: 1 }, { unique: true });
      await linked.createIndex({ accountId: 1 });
      await endsByItself(db.collection("federatedSignIns"));
      await db.collection("federatedSignIns").createIndex({ "purpose.chain": 1 }, { sparse: true });
    },
  },
  {
    id: "0011-signing-keys-one-active-and-one-next",
    async up(db) {
      const oneOfEach = { state: { $in: ["active", "next"] } };
      await db
        .collection("signingKeys")
        .createIndex({ state: 1 }, { unique: true, partialFilterExpression: oneOfEach });
    },
  },
  {
    id: "0012-consents",
    async up(db) {
      const consents = db.collection("consents");
      await consents.createIndex({ accountId: 1, clientId: 1 }, { unique: true });
      await consents.createIndex({ clientId: 1 });
    },
  },
  {
    id: "0013-browser-sessions",
    async up(db) {
      const sessions = db.collection("browserSessions");
      await endsByItself(sessions);
      await sessions.createIndex({ grantId: 1 });
      await sessions.createIndex({ accountId: 1 });
    },
  },
  {
    id: "0014-proofs-in-interactions",
    async up(db) {
      for (const field of ["result.login.accountId", "result.firstFactor.accountId"]) {
        await db
          .collection("interactions")
          .createIndex({ [`payload.${field}`]: 1 }, { sparse: true });
      }
    },
  },
  {
    id: "0015-exports",
    async up(db) {
      const exports = db.collection("exports");
      await endsByItself(exports);
      await exports.createIndex({ accountId: 1 }, { unique: true });
      await exports.createIndex({ tryAt: 1 }, { sparse: true });
      const pages = db.collection("exportPages");
      await endsByItself(pages);
      await pages.createIndex({ exportId: 1 });
      await pages.createIndex({ accountId: 1 });
    },
  },
];

const endsByItself = (collection: mongo.Collection) =>
  collection.createIndex({ expiresAt: 1 }, { expireAfterSeconds: 0 });
