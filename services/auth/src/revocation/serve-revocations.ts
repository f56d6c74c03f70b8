/**
 * `GET /revocations?after=CURSOR&waitMs=5000` on the operations port: a long poll, for the other
 * services. It says who signed out when, so the gateway never routes to it.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "@portico/service-kit";
import { z } from "zod";
import type { RevocationFeed } from "./revocation-feed.ts";

const Query = z.object({
  after: z.string().max(100).default(""),
  waitMs: z.coerce.number().int().min(0).max(20_000).default(0),
});

export const serveRevocations =
  (feed: Pick<RevocationFeed, "since">, logger: Logger) =>
  async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { searchParams } = new URL(request.url ?? "", "http://operations");
    const query = Query.safeParse(Object.fromEntries(searchParams)).data;
    if (!query) {
      send(response, 400, { status: "INVALID" });
      return;
    }
    try {
      send(response, 200, await feed.since(query.after, query.waitMs));
    } catch (error) {
      // Who asked keeps what it knows, and sees that its list gets old.
      logger.warn("revocations.not-served", { error });
      send(response, 503, { status: "DOWN" });
    }
  };

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(body));
}
