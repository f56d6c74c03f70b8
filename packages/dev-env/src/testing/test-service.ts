import { Writable } from "node:stream";
import {
  connectMongo,
  createLogger,
  createMetrics,
  createTokenVerifier,
  type Logger,
  type Metrics,
  type Migration,
  migrate,
  type VerifyAccessToken,
} from "@portico/service-kit";
import type { Express } from "express";
import type { Connection } from "mongoose";
import { createTestDatabase } from "./test-database.ts";
import { createTestIssuer, type TestIssuer } from "./test-issuer.ts";
import type { TestStores } from "./test-stores.ts";

/** What a service's `createX` is given in a test: real stores, a test issuer's tokens, a log to read. */
export interface TestParts {
  mongo: Connection;
  redisUrl: string;
  issuer: TestIssuer;
  verifyAccessToken: VerifyAccessToken;
  logger: Logger;
  metrics: Metrics;
}

export interface TestService<App> extends TestParts {
  app: App;
  /** The value of an `Authorization` header; `claims` replace those of a verified member. */
  bearer(claims?: Record<string, unknown>): Promise<string>;
  /** Everything logged so far, as it would stand on stdout. */
  logged(): string;
  stop(): Promise<void>;
}

/** A service in this process with a database of its own, migrated. */
export async function startTestService<App = Express>(
  stores: TestStores,
  migrations: readonly Migration[],
  create: (parts: TestParts) => App,
): Promise<TestService<App>> {
  const lines: string[] = [];
  const logger = createLogger("test", "debug", memory(lines));
  const [database, issuer] = await Promise.all([createTestDatabase(stores), createTestIssuer()]);
  const mongo = await connectMongo(database.mongodbUri, logger);
  await migrate(mongo, migrations, logger);

  const parts: TestParts = {
    mongo,
    redisUrl: database.redisUrl,
    issuer,
    verifyAccessToken: createTokenVerifier(issuer),
    logger,
    metrics: createMetrics("test"),
  };
  return {
    ...parts,
    app: create(parts),
    bearer: async (claims) => `Bearer ${await issuer.signToken(claims)}`,
    logged: () => lines.join(""),
    stop: async () => {
      await mongo.close();
      await Promise.all([database.drop(), issuer.close()]);
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
