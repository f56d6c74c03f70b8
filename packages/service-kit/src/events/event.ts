/**
 * Events between services: CloudEvents 1.0 (https://cloudevents.io), written to an outbox in the same
 * MongoDB transaction as what they tell, relayed at least once over Redis Streams, handled idempotently.
 */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { traceparent } from "../trace.ts";

export const CloudEvent = z.object({
  specversion: z.literal("1.0"),
  id: z.string().min(1),
  /** `/auth`: the service that says it. */
  source: z.string().min(1),
  /** `dev.portico.auth.account-verified` */
  type: z.string().min(1),
  subject: z.string().optional(),
  time: z.iso.datetime(),
  datacontenttype: z.literal("application/json"),
  /** Distributed Tracing extension. */
  traceparent: z.string().optional(),
  data: z.record(z.string(), z.unknown()),
});

export type CloudEvent = z.output<typeof CloudEvent>;

/** What a service says; the rest of the envelope is added here. Never a secret, never patient data. */
export type EventToSend = { type: string; subject?: string; data: Record<string, unknown> };

export const toCloudEvent = (source: string, event: EventToSend): CloudEvent => ({
  specversion: "1.0",
  id: randomUUID(),
  source: `/${source}`,
  type: `dev.portico.${source}.${event.type}`,
  subject: event.subject,
  time: new Date().toISOString(),
  datacontenttype: "application/json",
  traceparent: traceparent(),
  data: event.data,
});

/** The Redis stream of one service's events. */
export const streamOf = (source: string): string => `events:${source}`;
