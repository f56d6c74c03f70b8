/** The kit and nothing else: token verified, guard, log line, metrics, a constant. Sends its port. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  createApp,
  createLogger,
  createMetrics,
  createRevocationList,
  createTokenVerifier,
  endpoint,
  signedIn,
} from "@portico/service-kit";
import { z } from "zod";

const [body = "", issuer = "", audience = "", jwksUrl = ""] = process.argv.slice(2);
const constant = JSON.parse(Buffer.from(body, "base64").toString());

const revocations = createRevocationList();
setInterval(revocations.markComplete, 1_000).unref();
revocations.markComplete();

const app = createApp({
  name: "bench",
  title: "Bench",
  description: "A constant behind everything that the kit does.",
  endpoints: [
    endpoint({
      method: "get",
      path: "/bench/kit",
      summary: "A constant",
      guard: signedIn,
      reply: { status: 200, body: z.record(z.string(), z.unknown()) },
      handle: () => constant,
    }),
  ],
  verifyAccessToken: createTokenVerifier({ issuer, audience, jwksUrl, revocations }),
  logger: createLogger("bench"),
  metrics: createMetrics("bench"),
});

const server = createServer(app).listen(0, "127.0.0.1", () => {
  process.send?.((server.address() as AddressInfo).port);
});
