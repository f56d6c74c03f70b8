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
import { createPayments } from "./app.ts";
import { Config } from "./config.ts";
import { migrations } from "./migrations.ts";
import { createPaymentStore } from "./payments/payment-store.ts";

const config = readConfig(Config, process.env);
const logger = createLogger("payments", config.logLevel);
const metrics = createMetrics("payments");
const mongo = await connectMongo(config.mongodbUri.reveal(), logger);
await migrate(mongo, migrations, logger);

await serve({
  app: createPayments({
    payments: createPaymentStore(mongo),
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
