/** One service's end of the event stream: what it tells, through its outbox, and what it hears. */
import { hostname } from "node:os";
import type { Connection } from "mongoose";
import type { Secret } from "../config.ts";
import type { Logger } from "../logger.ts";
import { connectRedis } from "../redis.ts";
import { type Consumer, startConsumer } from "./consume.ts";
import type { EventHandler } from "./inbox.ts";
import { type Outbox, startOutbox } from "./outbox.ts";

export type Events = {
  outbox: Outbox;
  /**
   * @param sources services whose events are read
   * @param handlers full event type -> handler
   * @param group another than the service's own, for what must not hold up the rest
   */
  hear(sources: readonly string[], handlers: Record<string, EventHandler>, group?: string): void;
  /** Resolves when what is under way is done. */
  close(): Promise<void>;
};

/** Its migrations are `outboxMigration` and `inboxMigration`. */
export function connectEvents(
  service: string,
  config: { redisUrl: Secret; port: number },
  connection: Connection,
  logger: Logger,
): Events {
  const connect = (blocking = false) =>
    connectRedis(config.redisUrl.reveal(), logger, { blocking });
  const redis = connect();
  const outbox = startOutbox(service, connection, redis, logger);
  const consumers: Consumer[] = [];

  return {
    outbox,
    hear(sources, handlers, group = service) {
      consumers.push(
        startConsumer({
          group,
          // The same after a restart, so that it finds what it left.
          instance: `${hostname()}-${config.port}`,
          sources,
          handlers,
          connection,
          redis: connect(true),
          logger,
        }),
      );
    },
    async close() {
      await Promise.all([...consumers.map((consumer) => consumer.stop()), outbox.stop()]);
      redis.disconnect();
    },
  };
}
