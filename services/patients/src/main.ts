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
import { createPatients, eventHandlers } from "./app.ts";
import { Config } from "./config.ts";
import { readDefinitions } from "./definitions/definitions.ts";
import { migrations } from "./migrations.ts";
import { createResourceStore } from "./resources/resource-store.ts";

const config = readConfig(Config, process.env);
const logger = createLogger("patients", config.logLevel);
const metrics = createMetrics("patients");
const mongo = await connectMongo(config.mongodbUri.reveal(), logger);
await migrate(mongo, migrations, logger);
const revocations = followRevocations({ url: config.revocationsUrl, logger, metrics });
const resources = createResourceStore(mongo);
const events = connectEvents("patients", config, mongo, logger);
events.hear(["auth"], eventHandlers(resources, events.outbox));

const verifyAccessToken = createTokenVerifier({ ...config, revocations });

await serve({
  app: createPatients({
    resources,
    definitions: readDefinitions(),
    baseUrl: new URL("/fhir", config.audience).href,
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
