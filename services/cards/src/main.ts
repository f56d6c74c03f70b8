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
import { createCards, eventHandlers } from "./app.ts";
import { createExtendClient } from "./card-network/extend-client.ts";
import { createExtendNetwork } from "./card-network/extend-network.ts";
import { Config } from "./config.ts";
import { migrations } from "./migrations.ts";

const config = readConfig(Config, process.env);
const logger = createLogger("cards", config.logLevel);
const metrics = createMetrics("cards");
const mongo = await connectMongo(config.mongodbUri.reveal(), logger);
await migrate(mongo, migrations, logger);
const revocations = followRevocations({ url: config.revocationsUrl, logger, metrics });

const extend = createExtendClient({
  url: config.extendUrl,
  apiKey: config.extendApiKey,
  apiSecret: config.extendApiSecret,
  logger,
  metrics,
});
const events = connectEvents("cards", config, mongo, logger);
events.hear(["auth"], eventHandlers(events.outbox));

const verifyAccessToken = createTokenVerifier({ ...config, revocations });

await serve({
  app: createCards({
    network: createExtendNetwork(extend),
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
