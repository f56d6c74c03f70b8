import type { Server } from "node:http";
import request from "supertest";
import { describe, expect, it } from "vitest";
import { createHealth, type ReadinessCheck } from "./health.ts";
import { createMetrics } from "./metrics.ts";

const up = () => Promise.resolve();
const health = (checks: Record<string, ReadinessCheck> = { mongodb: up }) =>
  createHealth(createMetrics("example").registry, checks);
const get = (server: Server, path: string) => request(server).get(path);

describe("/healthz", () => {
  it("answers as long as the process lives, whatever its stores do", async () => {
    const { server, drain } = health({ mongodb: () => Promise.reject(new Error("away")) });
    expect((await get(server, "/healthz")).status).toBe(200);
    drain();
    expect((await get(server, "/healthz")).body).toEqual({ status: "UP" });
  });
});

describe("/readyz", () => {
  it("passes when every check does (200)", async () => {
    const ready = await get(health({ mongodb: up, redis: up }).server, "/readyz");
    expect(ready.status).toBe(200);
    expect(ready.body).toEqual({
      status: "UP",
      checks: [
        { name: "mongodb", status: "UP" },
        { name: "redis", status: "UP" },
      ],
    });
  });

  const failing: Record<string, ReadinessCheck> = {
    rejects: () => Promise.reject(new Error("s3cret")),
    throws: () => {
      throw new Error("s3cret");
    },
    hangs: () => new Promise(() => undefined),
  };
  it.each(Object.entries(failing))(
    "fails soon when a check %s, and says which (503)",
    async (_, check) => {
      const startedAt = performance.now();
      const failed = await get(health({ mongodb: up, redis: check }).server, "/readyz");
      expect(failed.status).toBe(503);
      expect(failed.body).toEqual({
        status: "DOWN",
        checks: [
          { name: "mongodb", status: "UP" },
          { name: "redis", status: "DOWN" },
        ],
      });
      expect(performance.now() - startedAt).toBeLessThan(3_500);
    },
  );

  it("fails while draining, though all is well (503)", async () => {
    const { server, drain } = health();
    drain();
    const draining = await get(server, "/readyz");
    expect(draining.status).toBe(503);
    expect(draining.body.status).toBe("DRAINING");
  });
});

describe("/metrics", () => {
  it("speaks Prometheus", async () => {
    const metrics = await get(health().server, "/metrics");
    expect(metrics.headers["content-type"]).toContain("text/plain");
    expect(metrics.text).toContain("process_resident_memory_bytes");
  });

  it("answers a failure, and lives on, when a metric cannot be read (500)", async () => {
    const metrics = createMetrics("example");
    metrics.registry.metrics = () => Promise.reject(new Error("s3cret"));
    const { server } = createHealth(metrics.registry, {});
    const failed = await get(server, "/metrics");
    expect(failed.status).toBe(500);
    expect(failed.text).not.toContain("s3cret");
    expect((await get(server, "/healthz")).status).toBe(200);
  });
});

describe("the operations port", () => {
  it("has nothing else (404)", async () => {
    expect((await get(health().server, "/elsewhere")).status).toBe(404);
  });
});
