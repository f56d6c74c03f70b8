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

type Applied = mongo.Collection<MigrationDocument>;

const lockId = "lock";

/**
 * Applies what is missing, in order; other instances wait until it is done.
 * @param leaseMs how long others wait for an instance that died; renewed while one migrates
 */
export async function migrate(
  connection: Connection,
  migrations: readonly Migration[],
  logger: Logger,
  leaseMs = 10_000,
): Promise<void> {
  const db = connection.getClient().db(connection.name);
  const applied = db.collection<MigrationDocument>("migrations");
  if ((await findMissing(applied, migrations)).length === 0) return;

  const unlock = await lock(applied, logger, leaseMs);
  try {
    for (const migration of await findMissing(applied, migrations)) {
      await migration.up(db);
      await applied.insertOne({ _id: migration.id, appliedAt: new Date() });
      logger.info("migration.applied", { id: migration.id });
    }
  } finally {
    await unlock();
  }
}

async function findMissing(applied: Applied, migrations: readonly Migration[]) {
  const ids = new Set((await applied.find().toArray()).map(({ _id }) => _id));
  return migrations.filter(({ id }) => !ids.has(id));
}

/** Waits for the lock, keeps it until the returned function is called. */
async function lock(
  applied: Applied,
  logger: Logger,
  leaseMs: number,
): Promise<() => Promise<void>> {
  const holder = randomUUID();
  for (let tries = 0; !(await takeLock(applied, holder, leaseMs)); tries += 1) {
    if (tries === 0) logger.info("migration.waiting");
    await sleep(200);
  }
  const renewal = setInterval(() => {
    applied
      .updateOne({ _id: lockId, holder }, { $set: { until: leaseEnd(leaseMs) } })
      .catch((error) => logger.warn("migration.lock-not-renewed", { error }));
  }, leaseMs / 4);
  return async () => {
    clearInterval(renewal);
    await applied.deleteOne({ _id: lockId, holder });
  };
}

const leaseEnd = (leaseMs: number) => new Date(Date.now() + leaseMs);

/** A lease, so that an instance that died while migrating does not hold the others for ever. */
async function takeLock(applied: Applied, holder: string, leaseMs: number): Promise<boolean> {
  try {
    await applied.updateOne(
      { _id: lockId, until: { $lt: new Date() } },
      { $set: { holder, until: leaseEnd(leaseMs) } },
      { upsert: true },
    );
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}
