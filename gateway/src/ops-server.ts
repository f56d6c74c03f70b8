import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Controller } from "./controller.ts";
import type { Metrics } from "./metrics.ts";
import type { StatusBoard } from "./status/status-board.ts";

/** The second port, which no listener routes to: health, metrics and the objects' status. */
export interface OpsServer {
  readonly port: number;
  stop(): Promise<void>;
}

export interface OpsParts {
  readonly controller: Pick<Controller, "isReady">;
  readonly metrics: Pick<Metrics, "expose">;
  readonly status: Pick<StatusBoard, "statuses">;
}

export async function startOpsServer(
  parts: OpsParts,
  host: string,
  port: number,
): Promise<OpsServer> {
  const server = createServer(async (request, response) => {
    const page = await answer(parts, request.url ?? "/");
    response.writeHead(page.status, { "content-type": page.type });
    response.end(page.body);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return { port: (server.address() as AddressInfo).port, stop: () => close(server) };
}

interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

async function answer({ controller, metrics, status }: OpsParts, url: string): Promise<Page> {
  switch (url.split("?")[0]) {
    case "/healthz":
      return json(200, { status: "ok" });
    case "/readyz":
      return controller.isReady()
        ? json(200, { status: "ready" })
        : json(503, { status: "not ready", detail: "no version has been published yet" });
    case "/metrics":
      return {
        status: 200,
        type: "text/plain; version=0.0.4; charset=utf-8",
        body: await metrics.expose(),
      };
    case "/status":
      return json(200, { objects: status.statuses() });
    default:
      return json(404, { status: "not found" });
  }
}

function json(status: number, document: object): Page {
  return { status, type: "application/json", body: `${JSON.stringify(document, null, 2)}\n` };
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
