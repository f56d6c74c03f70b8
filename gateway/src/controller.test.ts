import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { parseAllDocuments } from "yaml";
import { type Controller, createController } from "./controller.ts";
import type { EnvoyConfig } from "./envoy/envoy-config.ts";
import { GATEWAY } from "./features/given.ts";
import { until } from "./features/real-envoy.ts";
import { createLogger } from "./logger.ts";
import { createMetrics } from "./metrics.ts";
import type { Verdict } from "./model/verdict.ts";
import type { Reception } from "./publish/handover.ts";
import type { Listing } from "./snapshot/object-source.ts";

/** The loop alone: what it does with a source and a publisher that fail. */
const list = vi.fn<() => Promise<Listing>>();
const publish = vi.fn<(config: EnvoyConfig) => Promise<Reception>>();
const ask = vi.fn<() => Promise<Reception>>();
const report = vi.fn<(verdicts: readonly Verdict[]) => void>();
const taken: Reception = { written: [], refused: [], pending: [] };
let changed: () => void;
let controller: Controller;

beforeEach(() => {
  list.mockReset().mockResolvedValue({ objects: [], problems: [] });
  publish.mockReset().mockResolvedValue(taken);
  ask.mockReset().mockResolvedValue(taken);
  report.mockReset();
  const logger = createLogger("error", () => undefined);
  controller = createController({
    source: {
      watch: (callback) => {
        changed = callback;
      },
      list,
      stop: () => undefined,
    },
    handover: { prepare: async () => undefined, publish, ask, fileOf: () => "" },
    boards: [{ report }],
    metrics: createMetrics(),
    ...{ logger, namespace: "portico", envoyHost: "127.0.0.1" },
  });
});

afterEach(() => controller.stop());

test("controller > is ready once the first version is published", async () => {
  expect(controller.isReady()).toBe(false);
  await controller.start();
  expect(controller.isReady()).toBe(true);
});

test("controller > many changes at once are one rebuild; changes without end are not put off for ever", async () => {
  await controller.start();
  for (let i = 0; i < 100; i++) {
    changed();
  }
  await until(() => publish.mock.calls.length === 2);
  const storm = setInterval(() => changed(), 5);
  await until(() => publish.mock.calls.length >= 4);
  clearInterval(storm);
});

test("controller > a source that cannot be read leaves the last version, and is asked again", async () => {
  await controller.start();
  list.mockRejectedValueOnce(new Error("the API server is away"));
  changed();
  await until(() => list.mock.calls.length === 2);
  expect(publish).toHaveBeenCalledTimes(1);
  await until(() => publish.mock.calls.length === 2);
  expect(controller.isReady()).toBe(true);
});

test("controller > a version that could not be written is written again, and readiness waits for it", async () => {
  publish.mockRejectedValueOnce(new Error("no space left on device"));
  await controller.start();
  expect(controller.isReady()).toBe(false);
  await until(() => controller.isReady());
  expect(publish).toHaveBeenCalledTimes(2);
});

test("controller > after stop nothing is rebuilt", async () => {
  await controller.start();
  await controller.stop();
  changed();
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(publish).toHaveBeenCalledTimes(1);
});

test("controller > hands on what the objects say", async () => {
  const objects = parseAllDocuments(GATEWAY).map((document) => ({
    origin: "test",
    value: document.toJS() as unknown,
  }));
  list.mockResolvedValue({ objects, problems: [] });
  await controller.start();
  expect([...(publish.mock.calls[0]?.[0].listeners.keys() ?? [])]).toEqual([
    "portico_portico_8080",
  ]);
});

const gateway = () => {
  const objects = parseAllDocuments(GATEWAY).map((document) => ({
    origin: "test",
    value: document.toJS() as unknown,
  }));
  list.mockResolvedValue({ objects, problems: [] });
};
const programmed = () =>
  report.mock.lastCall?.[0]
    .find(({ object, listener }) => object.kind === "Gateway" && listener === undefined)
    ?.conditions.find(({ type }) => type === "Programmed");

test("controller > a Gateway is programmed once Envoy has said so, and Envoy is asked until it has", async () => {
  gateway();
  const file = { kind: "listeners", name: "listeners", version: "1" } as const;
  publish.mockResolvedValue({ ...taken, pending: [file] });
  await controller.start();
  expect(programmed()).toMatchObject({ status: "False", reason: "Pending" });
  await until(() => ask.mock.calls.length === 1);
  expect(programmed()).toMatchObject({ status: "True" });
});

test("controller > what Envoy refuses is on its Gateway, with Envoy's own reason", async () => {
  gateway();
  const file = { kind: "listeners", name: "listeners", version: "1" } as const;
  const message = "invalid perl operator: (?=";
  publish.mockResolvedValue({ ...taken, refused: [{ ...file, message }] });
  await controller.start();
  expect(programmed()).toMatchObject({
    ...{ status: "False", reason: "Invalid" },
    message: expect.stringContaining(message),
  });
});
