/** The inbox for programs: list, read and clear messages, order faults. */
import { json, Router } from "express";
import { z } from "zod";
import type { FaultQueue } from "../fault-queue.ts";
import { InboxFault } from "./faults.ts";
import { summarize } from "./message.ts";
import type { MessageStore } from "./message-store.ts";

const ListQuery = z.object({
  to: z.string().max(320).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: z.string().regex(/^\d+$/).optional(),
  /** Holds the answer that long until there is a message, so that nobody has to poll. */
  waitMs: z.coerce.number().int().min(0).max(30_000).default(0),
});

const ArrivalsQuery = z.object({
  domain: z.string().min(1).max(253),
  after: z.string().max(100).optional(),
  waitMs: z.coerce.number().int().min(0).max(30_000).default(0),
});

export function inboxApi(store: MessageStore, faults: FaultQueue<InboxFault>): Router {
  const api = Router();

  api.get("/messages", async (request, response) => {
    const { to, limit, cursor, waitMs } = ListQuery.parse(request.query);
    if (waitMs > 0) await store.next({ to }, AbortSignal.timeout(waitMs));
    const page = store.list({ to }, limit, cursor);
    response.json({ messages: page.messages.map(summarize), next: page.next });
  });

  api.get("/arrivals", async (request, response) => {
    const { domain, after, waitMs } = ArrivalsQuery.parse(request.query);
    const found = await store.arrivals(domain, after, AbortSignal.timeout(waitMs));
    const messages = found.messages.map((message) => ({
      ...summarize(message),
      links: message.links,
    }));
    response.json({ messages, after: found.after });
  });

  api.get("/messages/:id", (request, response, next) => {
    const message = store.find(request.params.id);
    if (!message) return next();
    const { raw: _, ...readable } = message;
    response.json(readable);
  });

  api.get("/messages/:id/raw", (request, response, next) => {
    const message = store.find(request.params.id);
    if (!message) return next();
    // Shown as text, never as message/rfc822 or HTML, so that no browser renders it.
    response.type("text/plain; charset=utf-8").send(message.raw);
  });

  api.delete("/messages", (_request, response) => {
    store.clear();
    response.status(204).end();
  });

  api
    .route("/faults")
    .get((_request, response) => {
      response.json({ faults: faults.list() });
    })
    .post(json({ limit: "1kb" }), (request, response) => {
      faults.add(InboxFault.parse(request.body));
      response.status(201).json({ faults: faults.list() });
    })
    .delete((_request, response) => {
      faults.clear();
      response.status(204).end();
    });

  return api;
}
