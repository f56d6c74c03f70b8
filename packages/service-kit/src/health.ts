/**
 * The operations port: `/healthz` (is the process alive), `/readyz` (may it get requests), `/metrics`.
 * The gateway never routes to it. Liveness asks no dependency, so that a store that is away does not
 * have every instance restarted.
 */
import { createServer, type Server, type ServerResponse } from "node:http";
import type { Registry } from "prom-client";

/** Resolves when the dependency answers, rejects when it does not. */
export type ReadinessCheck = () => Promise<unknown>;

export type Health = {
  server: Server;
  /** From now on `/readyz` answers 503: no new work, please. */
  drain(): void;
};

const checkTimeoutMs = 1_000;

/** @param checks dependency name -> check; all of them must pass for readiness */
export function createHealth(registry: Registry, checks: Record<string, ReadinessCheck>): Health {
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

  const server = createServer(async (request, response) => {
    if (request.url === "/healthz") {
      send(response, 200, { status: "UP" });
      return;
    }
    if (request.url === "/readyz") {
      const { ready, body } = await readiness();
      send(response, ready ? 200 : 503, body);
      return;
    }
    if (request.url === "/metrics") {
      response.setHeader("Content-Type", registry.contentType);
      response.end(await registry.metrics());
      return;
    }
    send(response, 404, { status: "NOT_FOUND", paths: ["/healthz", "/readyz", "/metrics"] });
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
    check().then(
      () => true,
      () => false,
    ),
    new Promise<boolean>((resolve) => setTimeout(resolve, checkTimeoutMs, false).unref()),
  ]);
