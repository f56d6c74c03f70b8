import {
  connectMongo,
  createLogger,
  createMetrics,
  migrate,
  pingMongo,
  serve,
} from "@portico/service-kit";
import { connectEvents } from "@portico/service-kit/events";
import { connectRedis } from "@portico/service-kit/redis";
import { letPoolGiveWay } from "./accounts/give-way.ts";
import { readAuthConfig } from "./config.ts";
import { createMailer } from "./mail/mailer.ts";
import { migrations } from "./migrations.ts";
import { assemble } from "./parts.ts";
import { holders } from "./personal-data/erasure.ts";
import { startRevocationFeed } from "./revocation/revocation-feed.ts";
import { serveRevocations } from "./revocation/serve-revocations.ts";

const config = readAuthConfig();
await letPoolGiveWay();
const logger = createLogger("auth", config.logLevel);
const metrics = createMetrics("auth");
const mongo = await connectMongo(config.mongodbUri.reveal(), logger);
await migrate(mongo, migrations, logger);

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

await serve({
  app,
  config,
  metrics,
  logger,
  // Not Redis: without it mail waits and nobody signs in, but whoever is signed in works on.
  checks: { mongodb: pingMongo(mongo) },
  operations: { "/revocations": serveRevocations(revocations, logger) },
  drain: revocations.drain,
  closers: [
    () => revocations.stop(),
    () => Promise.all(loops.map((loop) => loop.stop())),
    () => events.close(),
    async () => mailer.close(),
    async () => redis.disconnect(),
    () => mongo.close(),
  ],
});
