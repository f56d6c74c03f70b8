/**
 * The operations port: `/healthz` (is the process alive), `/readyz` (may it get requests), `/metrics`,
 * and what a service has to tell the platform's other processes. The gateway never routes to it. Liveness asks no
 * dependency, so that a store that is away does not have every instance restarted.
 */
import { createServer, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { Registry } from "prom-client";

/** Resolves when the dependency answers, rejects when it does not. */
export type ReadinessCheck = () => Promise<unknown>;

export type Health = {
  server: Server;
  /** From now on `/readyz` answers 503: no new work, please. */
  drain(): void;
};

/** A dependency that is slow is there. Whoever probes waits longer than this. */
const checkTimeoutMs = 3_000;

/**
 * @param checks dependency name -> check; all of them must pass for readiness
 * @param operations path -> handler, for a service's own
 */
export function createHealth(
  registry: Registry,
  checks: Record<string, ReadinessCheck>,
  operations: Record<string, RequestListener> = {},
): Health {
  let draining = false;

  const readiness = async () => {
    const results = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => ({
        name,
        status: await passes(check).then((up) => (up ? "UP" : "DOWN")),
      })),
    );
    const ready = !draining && results.every(({ status }) => status === "UP");
    return {
      ready,
      body: { status: ready ? "UP" : draining ? "DRAINING" : "DOWN", checks: results },
    };
  };

  const answer = async (url: string | undefined, response: ServerResponse) => {
    if (url === "/healthz") {
      send(response, 200, { status: "UP" });
      return;
    }
    if (url === "/readyz") {
      const { ready, body } = await readiness();
      send(response, ready ? 200 : 503, body);
      return;
    }
    if (url === "/metrics") {
      const metrics = await registry.metrics();
      response.setHeader("Content-Type", registry.contentType);
      response.end(metrics);
      return;
    }
    const paths = ["/healthz", "/readyz", "/metrics", ...Object.keys(operations)];
    send(response, 404, { status: "NOT_FOUND", paths });
  };

  const server = createServer((request, response) => {
    const own = operations[request.url?.split("?", 1)[0] ?? ""];
    if (own) own(request, response);
    else answer(request.url, response).catch(() => send(response, 500, { status: "FAILED" }));
  });

  return {
    server,
    drain: () => {
      draining = true;
    },
  };
}

const send = (response: ServerResponse, status: number, body: unknown): void => {
  response.statusCode = status;
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(body));
};

const passes = (check: ReadinessCheck): Promise<boolean> =>
  Promise.race([
    // Async, so that a check that throws before its first await fails like any other.
    (async () => check())().then(
      () => true,
      () => false,
    ),
    new Promise<boolean>((resolve) => setTimeout(resolve, checkTimeoutMs, false).unref()),
  ]);
