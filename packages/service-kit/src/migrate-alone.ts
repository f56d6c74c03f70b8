/**
 * The whole of a service's `migrate.ts`: what is run before a new version of it starts. The service itself migrates as
 * well when it starts, so this is for the first of many instances not to keep the others waiting. Runs as often as you
 * like, and beside any number of others.
 */
import { readMigrationConfig } from "./config.ts";
import { createLogger } from "./logger.ts";
import { type Migration, migrate } from "./migrations.ts";
import { connectMongo } from "./mongo.ts";

export async function migrateAlone(
  service: string,
  migrations: readonly Migration[],
): Promise<void> {
  const config = readMigrationConfig();
  const logger = createLogger(`${service}-migrate`, config.logLevel);
  const mongo = await connectMongo(config.mongodbUri.reveal(), logger);
  try {
    await migrate(mongo, migrations, logger);
    logger.info("migrations.complete", { migrations: migrations.length });
  } finally {
    await mongo.close();
  }
}
