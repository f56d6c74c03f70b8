/**
 * MongoDB for one service: its own database and user, every write acknowledged by a majority and on
 * disk before the caller hears of it, every operation with a deadline.
 */
import { setTimeout as sleep } from "node:timers/promises";
import mongoose, { type Connection } from "mongoose";
import type { Logger } from "./logger.ts";

/**
 * Connects, trying again until `giveUpAfterMs` have passed: a store may start after us. A connection
 * string that nothing can be reached by fails at once.
 */
export async function connectMongo(
  uri: string,
  logger: Logger,
  giveUpAfterMs = 60_000,
): Promise<Connection> {
  // Strings stay strings in a query: `{ "$gt": "" }` that slips past a schema selects nothing.
  mongoose.set("sanitizeFilter", true);
  mongoose.set("strictQuery", "throw");
  const connection = mongoose.createConnection();
  await openWithin(connection, uri, Date.now() + giveUpAfterMs, logger);
  logger.info("mongodb.connected");
  connection.on("disconnected", () => logger.warn("mongodb.disconnected"));
  connection.on("connected", () => logger.info("mongodb.connected"));
  return connection;
}

/** A server that refuses at once (starting, wrong password) must not be asked without a pause. */
const retryMs = 1_000;

async function openWithin(
  connection: Connection,
  uri: string,
  deadlineMs: number,
  logger: Logger,
): Promise<void> {
  for (;;) {
    try {
      await connection.openUri(uri, {
        writeConcern: { w: "majority", j: true },
        readPreference: "primary",
        retryWrites: true,
        retryReads: true,
        serverSelectionTimeoutMS: 5_000,
        connectTimeoutMS: 3_000,
        socketTimeoutMS: 30_000,
        maxPoolSize: 20,
        maxIdleTimeMS: 300_000,
        heartbeatFrequencyMS: 1_000,
        autoIndex: false,
        autoCreate: false,
        bufferCommands: false,
      });
      return;
    } catch (error) {
      if (isMistake(error) || Date.now() > deadlineMs) throw error;
      logger.warn("mongodb.unreachable", { error });
      await sleep(retryMs);
    }
  }
}

/** The driver's names for a connection string or option that will never do. */
const isMistake = (error: unknown): boolean =>
  error instanceof Error &&
  /^Mongo(Parse|InvalidArgument|MissingCredentials)Error$/.test(error.name);

/** For `/readyz`. */
export const pingMongo = (connection: Connection) => () =>
  connection.getClient().db().command({ ping: 1 });

/** MongoDB's duplicate key: a unique index held an invariant against a race. */
export const isDuplicateKey = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === 11_000;
