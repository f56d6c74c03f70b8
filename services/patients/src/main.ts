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
import { createPatients } from "./app.ts";
import { Config } from "./config.ts";
import { readDefinitions } from "./definitions/definitions.ts";
import { migrations } from "./migrations.ts";
import { createResourceStore } from "./resources/resource-store.ts";

const config = readConfig(Config, process.env);
const logger = createLogger("patients", config.logLevel);
const metrics = createMetrics("patients");
const mongo = await connectMongo(config.mongodbUri.reveal(), logger);
await migrate(mongo, migrations, logger);

await serve({
  app: createPatients({
    resources: createResourceStore(mongo),
    definitions: readDefinitions(),
    baseUrl: new URL("/fhir", config.audience).href,
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
