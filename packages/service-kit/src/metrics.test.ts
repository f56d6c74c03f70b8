import request from "supertest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { signedIn } from "./guard.ts";
import { createTestApp, type TestApp } from "./testing/test-app.ts";

const getThing = endpoint({
  method: "get",
  path: "/things/:thingId",
  summary: "Read a thing",
  guard: signedIn,
  params: z.object({ thingId: z.uuid() }),
  reply: { status: 200, body: z.object({ id: z.string() }) },
  handle: ({ params }) => ({ id: params.thingId }),
});

let example: TestApp;
beforeAll(async () => {
  example = await createTestApp([getThing]);
});
afterAll(() => example.close());

const durations = async () =>
  (await example.metrics.registry.metrics())
    .split("\n")
    .filter((line) => line.startsWith("http_request_duration_seconds_count"));

describe("the metrics", () => {
  it("count requests by route template, never by an id or an unknown path", async () => {
    const id = "6f1ed002-ab59-4d0c-8d42-6cb8e7f4b2f1";
    const bearer = await example.bearer();
    await request(example.app).get(`/things/${id}`).set("Authorization", bearer);
    await request(example.app).get(`/things/${id}`).set("Authorization", bearer);
    await request(example.app).get(`/things/${id}`);
    await request(example.app).get("/things/no-uuid").set("Authorization", bearer);
    await request(example.app).delete(`/things/${id}`);
    for (const path of ["/a", "/b", "/c%ff", "/things/%ff"]) await request(example.app).get(path);

    const lines = await durations();
    const at = (method: string, route: string, status: number) =>
      `http_request_duration_seconds_count{service="example",method="${method}",route="${route}",status="${status}"}`;
    expect(lines.sort()).toEqual(
      [
        `${at("GET", "/things/:thingId", 200)} 2`,
        `${at("GET", "/things/:thingId", 401)} 1`,
        `${at("GET", "/things/:thingId", 400)} 1`,
        `${at("DELETE", "/things/:thingId", 405)} 1`,
        `${at("GET", "unmatched", 404)} 3`,
        `${at("GET", "unmatched", 400)} 1`,
      ].sort(),
    );
    expect(lines.join()).not.toContain(id);
  });

  it("tell how the process is", async () => {
    const text = await example.metrics.registry.metrics();
    for (const name of ["nodejs_eventloop_lag_p99_seconds", "process_resident_memory_bytes"]) {
      expect(text).toContain(name);
    }
  });
});
