import {
  connectMongo,
  createLogger,
  createMetrics,
  createTokenVerifier,
  migrate,
  pingMongo,
  readConfig,
  serve,
} from "@portico/service-kit";
import { createPosts } from "./app.ts";
import { Config } from "./config.ts";
import { migrations } from "./migrations.ts";
import { createPostStore } from "./posts/post-store.ts";

const config = readConfig(Config, process.env);
const logger = createLogger("posts", config.logLevel);
const metrics = createMetrics("posts");
const mongo = await connectMongo(config.mongodbUri.reveal(), logger);
await migrate(mongo, migrations, logger);

await serve({
  app: createPosts({
    posts: createPostStore(mongo),
    verifyAccessToken: createTokenVerifier(config),
    logger,
    metrics,
  }),
  config,
  metrics,
  logger,
  checks: { mongodb: pingMongo(mongo) },
  closers: [() => mongo.close()],
});
