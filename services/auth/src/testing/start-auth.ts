/** auth for tests: real stores, a real mailbox, its own tokens, on a port of its own. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Writable } from "node:stream";
import type { TestStores } from "@portico/dev-env";
import { createInbox, type Inbox } from "@portico/sandboxes";
import {
  connectMongo,
  createLogger,
  createMetrics,
  migrate,
  readConfig,
} from "@portico/service-kit";
import { connectEvents } from "@portico/service-kit/events";
import { connectRedis } from "@portico/service-kit/redis";
import type { Redis } from "ioredis";
import type { Connection } from "mongoose";
import { type AuthConfig, Config } from "../config.ts";
import { createMailer } from "../mail/mailer.ts";
import { migrations } from "../migrations.ts";
import { assemble } from "../parts.ts";
import { holders } from "../personal-data/erasure.ts";
import { type RevocationFeed, startRevocationFeed } from "../revocation/revocation-feed.ts";
import { takeAuthDatabase } from "./auth-database.ts";
import { uriForTests, watchQueries } from "./indexed-queries.ts";
import { testEnvironment } from "./test-environment.ts";

export type TestAuth = {
  /** Where it listens; the issuer is `/auth` under it. */
  origin: string;
  /** What a child process needs to be the same service. */
  environment: Record<string, string>;
  config: AuthConfig;
  inbox: Inbox;
  /** Of the test itself: what it asks is not held against auth. */
  mongo: Connection;
  redis: Redis;
  revocations: RevocationFeed;
  /** Everything logged so far. */
  logged(): string;
  stop(): Promise<void>;
};

/** @param variables of the environment that differ from what tests have; those of another auth make a second instance */
export async function startAuth(
  stores: TestStores,
  variables: Record<string, string> = {},
): Promise<TestAuth> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [database, inbox] = await Promise.all([takeAuthDatabase(stores), createInbox()]);
  const environment = { ...testEnvironment(origin, database, inbox), ...variables };
  const config = readConfig(Config, environment);

  const lines: string[] = [];
  const logger = createLogger("auth", "debug", memory(lines));
  const metrics = createMetrics("auth");
  const mongo = await connectMongo(config.mongodbUri.reveal(), logger);
  await migrate(mongo, migrations, logger);
  const tests = await connectMongo(uriForTests(config.mongodbUri.reveal()), logger);
  const queries = await watchQueries(tests);
  const redis = connectRedis(config.redisUrl.reveal(), logger);
  const mailer = createMailer(config.smtpUrl.reveal(), config.emailFrom);
  const events = connectEvents("auth", config, mongo, logger);
  const { outbox } = events;
  const revocations = await startRevocationFeed(mongo, logger);
  const parts = { config, mongo, redis, outbox, mailer, revocations, logger, metrics };
  const { app, eventHandlers, logoutHandlers, startLoops } = await assemble(parts);
  events.hear(holders, eventHandlers);
  events.hear(["auth"], logoutHandlers, "auth-logout");
  const loops = startLoops();
  server.on("request", app);

  return {
    origin,
    environment,
    config,
    inbox,
    mongo: tests,
    redis,
    revocations,
    logged: () => lines.join(""),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await Promise.all([...loops.map((loop) => loop.stop()), revocations.stop()]);
      await events.close();
      mailer.close();
      redis.disconnect();
      const unindexed = await queries.unindexed();
      await Promise.all([mongo.close(), tests.close()]);
      await Promise.all([database.drop(), inbox.close()]);
      if (unindexed.length > 0) throw new Error(`Without an index: ${unindexed.join(", ")}`);
    },
  };
}

const memory = (lines: string[]): Writable =>
  new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
