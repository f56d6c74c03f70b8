/** For the kit's own tests: an app of a few endpoints, tokens for it, and what it logged. */
import { Writable } from "node:stream";
import { createTestIssuer, type TestIssuer } from "@portico/dev-env";
import type { Express } from "express";
import { createTokenVerifier } from "../access-token.ts";
import { type AppOptions, createApp } from "../create-app.ts";
import { createLogger, type Logger, type LogLevel } from "../logger.ts";
import { createMetrics, type Metrics } from "../metrics.ts";

export type LogLine = Record<string, unknown> & { event: string; level: string };

/** A logger whose lines can be read: every one must be JSON. */
export function createTestLogger(level: LogLevel = "debug") {
  let text = "";
  const destination = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  const lines = (event?: string) =>
    text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as LogLine)
      .filter((line) => event === undefined || line.event === event);
  return { logger: createLogger("example", level, destination), lines, text: () => text };
}

export type TestApp = {
  app: Express;
  issuer: TestIssuer;
  metrics: Metrics;
  logger: Logger;
  lines: (event?: string) => LogLine[];
  /** An `Authorization` value; `claims` replace single claims. */
  bearer: (claims?: Record<string, unknown>) => Promise<string>;
  close: () => Promise<void>;
};

export async function createTestApp(
  endpoints: AppOptions["endpoints"],
  options: Partial<AppOptions> = {},
): Promise<TestApp> {
  const issuer = await createTestIssuer();
  const metrics = createMetrics("example");
  const { logger, lines } = createTestLogger();
  const app = createApp({
    name: "example",
    title: "Example",
    description: "An example.",
    endpoints,
    verifyAccessToken: createTokenVerifier(issuer),
    logger,
    metrics,
    ...options,
  });
  return {
    app,
    issuer,
    metrics,
    logger,
    lines,
    bearer: async (claims) => `Bearer ${await issuer.signToken(claims)}`,
    close: () => issuer.close(),
  };
}
