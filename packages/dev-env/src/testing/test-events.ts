import { randomUUID } from "node:crypto";
import { Secret } from "@portico/service-kit";
import { connectEvents, type EventHandler, type Events } from "@portico/service-kit/events";
import { Redis } from "ioredis";
import type { TestParts } from "./test-service.ts";

/** The event stream of a service under test: what others say in it, and what the service answers. */
export interface TestEventStream {
  /** As that service's relay would put it there. */
  say(source: string, type: string, data: Record<string, unknown>): Promise<void>;
  /** What a service has said so far, oldest first. */
  saidBy(source: string): Promise<SaidEvent[]>;
  close(): Promise<void>;
}

export interface SaidEvent {
  type: string;
  data: Record<string, unknown>;
}

/** @param handlersOf what the service does about events, of its `app.ts` */
export function openEventStream(
  service: string,
  { mongo, redisUrl, logger }: Pick<TestParts, "mongo" | "redisUrl" | "logger">,
  sources: readonly string[],
  handlersOf: (outbox: Events["outbox"]) => Record<string, EventHandler>,
): TestEventStream {
  const redis = new Redis(redisUrl);
  const events = connectEvents(service, { redisUrl: new Secret(redisUrl), port: 0 }, mongo, logger);
  events.hear(sources, handlersOf(events.outbox));

  return {
    async say(source, type, data) {
      const event = {
        specversion: "1.0",
        id: randomUUID(),
        source: `/${source}`,
        type: `dev.portico.${source}.${type}`,
        time: new Date().toISOString(),
        datacontenttype: "application/json",
        data,
      };
      await redis.xadd(`events:${source}`, "*", "event", JSON.stringify(event));
    },
    async saidBy(source) {
      const entries = await redis.xrange(`events:${source}`, "-", "+");
      return entries.map(([, [, event = ""]]) => JSON.parse(event));
    },
    async close() {
      await events.close();
      redis.disconnect();
    },
  };
}
