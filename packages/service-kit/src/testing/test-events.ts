/** For the kit's own tests: a service that emits and a service that handles, on real stores. */
import { createTestDatabase, type TestStores } from "@portico/dev-env";
import type { Connection } from "mongoose";
import { type ConsumerOptions, startConsumer } from "../events/consume.ts";
import { type EventHandler, inboxMigration } from "../events/inbox.ts";
import { outboxMigration, startOutbox } from "../events/outbox.ts";
import { migrate } from "../migrations.ts";
import { connectMongo } from "../mongo.ts";
import { connectRedis } from "../redis.ts";
import { createTestLogger } from "./test-app.ts";

export type TestEvents = Awaited<ReturnType<typeof createTestEvents>>;

export async function createTestEvents(stores: TestStores) {
  const database = await createTestDatabase(stores);
  const { logger, lines } = createTestLogger();
  const mongo = await connectMongo(database.mongodbUri, logger);
  await migrate(mongo, [outboxMigration, inboxMigration], logger);
  const redis = connectRedis(database.redisUrl, logger);
  const opened: (() => Promise<unknown>)[] = [];

  return {
    ...database,
    mongo,
    redis,
    lines,
    /** An outbox of the service `source`; its Redis may be another way to the same one. */
    outbox(source: string, redisUrl = database.redisUrl, connection: Connection = mongo) {
      const connected = connectRedis(redisUrl, logger);
      const outbox = startOutbox(source, connection, connected, logger);
      opened.push(async () => {
        await outbox.stop();
        connected.disconnect();
      });
      return outbox;
    },
    /** A consumer of `source` whose handler is for the type `said`. */
    consumer(
      source: string,
      handler: EventHandler,
      more: Partial<ConsumerOptions> & { redisUrl?: string } = {},
    ) {
      const connected = connectRedis(more.redisUrl ?? database.redisUrl, logger, {
        blocking: true,
      });
      const consumer = startConsumer({
        group: "listener",
        instance: "one",
        sources: [source],
        handlers: { [`dev.portico.${source}.said`]: handler },
        connection: mongo,
        redis: connected,
        logger,
        ...more,
      });
      opened.push(async () => {
        await consumer.stop();
        connected.disconnect();
      });
      return consumer;
    },
    /** Ends the outboxes and consumers of one test. */
    async stopAll() {
      await Promise.all(opened.splice(0).map((stop) => stop()));
    },
    async close() {
      await this.stopAll();
      redis.disconnect();
      await mongo.close();
      await database.drop();
    },
  };
}
