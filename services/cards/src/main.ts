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
import { createCards } from "./app.ts";
import { createExtendClient } from "./card-network/extend-client.ts";
import { createExtendNetwork } from "./card-network/extend-network.ts";
import { Config } from "./config.ts";
import { migrations } from "./migrations.ts";

const config = readConfig(Config, process.env);
const logger = createLogger("cards", config.logLevel);
const metrics = createMetrics("cards");
const mongo = await connectMongo(config.mongodbUri.reveal(), logger);
await migrate(mongo, migrations, logger);

const extend = createExtendClient({
  url: config.extendUrl,
  apiKey: config.extendApiKey,
  apiSecret: config.extendApiSecret,
  logger,
  metrics,
});

await serve({
  app: createCards({
    network: createExtendNetwork(extend),
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
