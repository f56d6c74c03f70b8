/** For the kit's own tests: a small service in a process of its own, that can be sent signals. */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { missingToken } from "../access-token.ts";
import { createApp } from "../create-app.ts";
import { endpoint } from "../endpoint.ts";
import { anyone, signedIn } from "../guard.ts";
import { createLogger } from "../logger.ts";
import { createMetrics } from "../metrics.ts";
import { serve } from "../serve.ts";

const [drainMs = 0, graceMs = 1_000] = process.argv.slice(2).map(Number);
const logger = createLogger("example", "info");
const metrics = createMetrics("example");

const slow = endpoint({
  method: "get",
  path: "/slow",
  summary: "Answer after a while",
  guard: anyone,
  query: z.object({ ms: z.coerce.number() }),
  reply: { status: 200, body: z.object({ done: z.boolean() }) },
  async handle({ query }) {
    logger.info("slow.began");
    await sleep(query.ms);
    return { done: true };
  },
});

const guarded = endpoint({
  method: "get",
  path: "/guarded",
  summary: "Answer whoever has a token",
  guard: signedIn,
  reply: { status: 200, body: z.object({ subject: z.string() }) },
  handle: ({ caller }) => ({ subject: caller.subject }),
});

const crash = endpoint({
  method: "post",
  path: "/crash",
  summary: "Fail where nobody catches",
  guard: anyone,
  reply: { status: 204 },
  handle() {
    setTimeout(() => {
      throw new Error("nobody catches this");
    }, 10);
    return undefined;
  },
});

await serve({
  app: createApp({
    name: "example",
    title: "Example",
    description: "An example.",
    endpoints: [slow, guarded, crash],
    verifyAccessToken: () => Promise.reject(missingToken()),
    logger,
    metrics,
  }),
  config: { host: "127.0.0.1", port: 0, opsPort: 0, drainMs, graceMs },
  metrics,
  logger,
  checks: {},
  closers: [
    async () => logger.info("first.closed"),
    () => Promise.reject(new Error("will not close")),
    async () => logger.info("last.closed"),
  ],
});
