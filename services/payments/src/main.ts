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
import { createPayments, eventHandlers } from "./app.ts";
import { Config } from "./config.ts";
import { migrations } from "./migrations.ts";
import { createPaymentStore } from "./payments/payment-store.ts";

const config = readConfig(Config, process.env);
const logger = createLogger("payments", config.logLevel);
const metrics = createMetrics("payments");
const mongo = await connectMongo(config.mongodbUri.reveal(), logger);
await migrate(mongo, migrations, logger);
const revocations = followRevocations({ url: config.revocationsUrl, logger, metrics });
const payments = createPaymentStore(mongo);
const events = connectEvents("payments", config, mongo, logger);
events.hear(["auth"], eventHandlers(payments, events.outbox));

const verifyAccessToken = createTokenVerifier({ ...config, revocations });

await serve({
  app: createPayments({
    payments,
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
