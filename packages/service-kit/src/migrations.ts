/**
 * Migrations: an explicit, ordered list, each run once per database, one instance at a time. A
 * migration that was cut off runs again, so each one must be safe to run twice.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Connection, mongo } from "mongoose";
import type { Logger } from "./logger.ts";
import { isDuplicateKey } from "./mongo.ts";

export type Migration = {
  /** Ordered by name: `0001-unique-email`. Never renamed once released. */
  id: string;
  up(db: mongo.Db): Promise<void>;
};

type MigrationDocument = { _id: string; appliedAt?: Date; holder?: string; until?: Date };

const lockId = "lock";
const leaseMs = 60_000;

/** Applies what is missing, in order; other instances wait until it is done. */
export async function migrate(
  connection: Connection,
  migrations: readonly Migration[],
  logger: Logger,
): Promise<void> {
  const db = connection.getClient().db(connection.name);
  const applied = db.collection<MigrationDocument>("migrations");
  const holder = randomUUID();
  while (!(await takeLock(applied, holder))) await sleep(200);
  try {
    for (const migration of migrations) {
      if (await applied.findOne({ _id: migration.id })) continue;
      await migration.up(db);
      await applied.insertOne({ _id: migration.id, appliedAt: new Date() });
      await applied.updateOne(
        { _id: lockId, holder },
        { $set: { until: new Date(Date.now() + leaseMs) } },
      );
      logger.info("migration.applied", { id: migration.id });
    }
  } finally {
    await applied.deleteOne({ _id: lockId, holder });
  }
}

/** A lease, so that an instance that died while migrating does not hold the others for ever. */
async function takeLock(
  applied: mongo.Collection<MigrationDocument>,
  holder: string,
): Promise<boolean> {
  const now = Date.now();
  try {
    await applied.updateOne(
      { _id: lockId, until: { $lt: new Date(now) } },
      { $set: { holder, until: new Date(now + leaseMs) } },
      { upsert: true },
    );
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}
