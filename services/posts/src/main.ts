import {
  connectMongo,
  createLogger,
  createMetrics,
  createTokenVerifier,
  followRevocations,
  migrate,
  pingMongo,
  readConfig,
  serve,
} from "@portico/service-kit";
import { connectEvents } from "@portico/service-kit/events";
import { createPosts, eventHandlers } from "./app.ts";
import { Config } from "./config.ts";
import { migrations } from "./migrations.ts";
import { createPostStore } from "./posts/post-store.ts";

const config = readConfig(Config, process.env);
const logger = createLogger("posts", config.logLevel);
const metrics = createMetrics("posts");
const mongo = await connectMongo(config.mongodbUri.reveal(), logger);
await migrate(mongo, migrations, logger);
const revocations = followRevocations({ url: config.revocationsUrl, logger, metrics });
const posts = createPostStore(mongo);
const events = connectEvents("posts", config, mongo, logger);
events.hear(["auth"], eventHandlers(posts, events.outbox));

const verifyAccessToken = createTokenVerifier({ ...config, revocations });

await serve({
  app: createPosts({
    posts,
    verifyAccessToken,
    logger,
    metrics,
  }),
  config,
  metrics,
  logger,
  checks: {
    mongodb: pingMongo(mongo),
    revocations: revocations.check,
    tokenKeys: verifyAccessToken.check,
  },
  closers: [() => revocations.stop(), () => events.close(), () => mongo.close()],
});
