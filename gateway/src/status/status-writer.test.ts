import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../features/real-envoy.ts";
import { createApiClient } from "../kubernetes/api-client.ts";
import { type FakeApiServer, startFakeApiServer } from "../kubernetes/fake-api-server.ts";
import { createLogger } from "../logger.ts";
import { fails, holds, type Verdict } from "../model/verdict.ts";
import { createKubernetesSource, type KubernetesSource } from "../snapshot/kubernetes-source.ts";
import type { Kind } from "../snapshot/metadata.ts";
import { createPace } from "./pace.ts";
import { createStatusWriter, type StatusWriter } from "./status-writer.ts";

const OURS = "gateway.portico.dev/controller";
const KINDS: readonly Kind[] = ["GatewayClass", "Gateway", "HTTPRoute", "JWTPolicy"];
const API = "/apis/gateway.networking.k8s.io/v1";
const ROUTE = `${API}/namespaces/portico/httproutes/posts`;
const GATEWAY = `${API}/namespaces/portico/gateways/portico`;
const CLASS = `${API}/gatewayclasses/portico`;
const POLICY = "/apis/gateway.portico.dev/v1alpha1/namespaces/portico/jwtpolicies/tokens";

const parent = { kind: "Gateway", namespace: "portico", name: "portico" };
const object = { kind: "HTTPRoute", namespace: "portico", name: "posts" };
const accepted: Verdict = { object, generation: 1, parent, conditions: [holds("Accepted")] };
const refused: Verdict = {
  ...accepted,
  conditions: [fails("Accepted", { reason: "NoMatchingParent", message: "no such listener" })],
};
const foreign = { parentRef: { name: "theirs" }, controllerName: "example.com/x", conditions: [] };

let server: FakeApiServer;
let lines: { event: string }[];
let stops: (() => unknown)[];
let minute: number;
const logger = createLogger("debug", (line) => lines.push(JSON.parse(line)));

interface Replica {
  readonly source: KubernetesSource;
  readonly writer: StatusWriter;
}

async function startReplica(): Promise<Replica> {
  const client = createApiClient({ server: server.url, tls: {}, token: async () => undefined });
  const waits = { firstRetryMs: 5, longestRetryMs: 50, absentMs: 40 };
  const source = createKubernetesSource(client, logger, { kinds: KINDS, waits, patienceMs: 0 });
  const now = () => new Date(Date.UTC(2026, 0, 1, 0, minute));
  const writer = createStatusWriter({ client, source, logger, now, quietMs: 5 });
  stops.push(() => source.stop(), writer.stop);
  source.watch(() => undefined);
  await until(() =>
    source.list().then(
      () => true,
      () => false,
    ),
  );
  return { source, writer };
}

beforeEach(async () => {
  lines = [];
  stops = [];
  minute = 0;
  server = await startFakeApiServer();
  const collections = ["gatewayclasses", "gateways", "httproutes"].map((name) => `${API}/${name}`);
  server.install(...collections, "/apis/gateway.portico.dev/v1alpha1/jwtpolicies");
  server.put(ROUTE, { metadata: { name: "posts" }, spec: {} });
});

afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
  await server.stop();
});

const writes = () => server.requests.filter((request) => request.startsWith("PATCH"));
const statusOf = (path: string) => server.get(path).status as Record<string, unknown> | undefined;
const parents = () => (statusOf(ROUTE)?.parents ?? []) as unknown[];
const written = (path: string) => until(() => statusOf(path) !== undefined);
const quiet = () => new Promise((resolve) => setTimeout(resolve, 120));

test("status writer > a route has an entry for its parent, with generation and time", async () => {
  const { writer } = await startReplica();
  writer.report([accepted]);
  await written(ROUTE);
  expect(statusOf(ROUTE)).toEqual({
    parents: [
      {
        parentRef: { group: "gateway.networking.k8s.io", ...parent },
        controllerName: OURS,
        conditions: [
          {
            ...{ type: "Accepted", status: "True", reason: "Accepted", message: "" },
            ...{ observedGeneration: 1, lastTransitionTime: "2026-01-01T00:00:00.000Z" },
          },
        ],
      },
    ],
  });
});

test("status writer > nothing is written twice, nor what another replica has written", async () => {
  const one = await startReplica();
  const two = await startReplica();
  one.writer.report([accepted]);
  two.writer.report([accepted]);
  await written(ROUTE);
  const before = server.get(ROUTE).metadata.resourceVersion;
  await until(() => two.source.live(object)?.resourceVersion === before);
  minute = 5;
  one.writer.report([accepted]);
  two.writer.report([accepted]);
  await quiet();
  expect(server.get(ROUTE).metadata.resourceVersion).toBe(before);
  expect(writes().length).toBeLessThanOrEqual(2);
});

test("status writer > lastTransitionTime moves when a status does, and not with a message", async () => {
  const { writer } = await startReplica();
  const time = () => JSON.stringify(statusOf(ROUTE)).match(/lastTransitionTime":"([^"]*)/)?.[1];
  writer.report([refused]);
  await written(ROUTE);
  minute = 1;
  const [condition] = refused.conditions;
  writer.report([{ ...refused, conditions: [{ ...condition, message: "other" } as never] }]);
  await until(() => JSON.stringify(statusOf(ROUTE)).includes("other"));
  expect(time()).toBe("2026-01-01T00:00:00.000Z");
  writer.report([accepted]);
  await until(() => JSON.stringify(statusOf(ROUTE)).includes('"True"'));
  expect(time()).toBe("2026-01-01T00:01:00.000Z");
});

test("status writer > entries of other controllers stay, ours is taken away when the route leaves", async () => {
  server.put(ROUTE, { metadata: { name: "posts" }, spec: {}, status: { parents: [foreign] } });
  const { writer, source } = await startReplica();
  writer.report([accepted]);
  await until(() => parents().length === 2);
  expect(parents()[0]).toEqual(foreign);
  await until(() => JSON.stringify(source.live(object)?.status).includes(OURS));
  writer.report([]);
  await until(() => parents().length === 1);
  expect(parents()).toEqual([foreign]);
});

test("status writer > a restart takes away what an earlier run left behind", async () => {
  const left = { ...foreign, controllerName: OURS };
  server.put(ROUTE, { metadata: { name: "posts" }, spec: {}, status: { parents: [left] } });
  const { writer } = await startReplica();
  writer.report([]);
  await until(() => parents().length === 0);
});

test("status writer > a write on an older state is refused (409) and done again on the fresh one", async () => {
  const { writer, source } = await startReplica();
  server.failOn(/^GET .*httproutes$/, 500);
  server.disconnect();
  await until(() => lines.some(({ event }) => event === "watch.interrupted"));
  server.put(ROUTE, { metadata: { name: "posts" }, spec: {}, status: { parents: [foreign] } });
  expect(source.live(object)?.status).toBeUndefined();
  writer.report([accepted]);
  await until(() => parents().length === 2);
  expect(writes()).toHaveLength(2);
});

test("status writer > a verdict on an older generation is not written onto a newer one", async () => {
  const { writer } = await startReplica();
  server.failOn(/^GET .*httproutes$/, 500);
  server.disconnect();
  await until(() => lines.some(({ event }) => event === "watch.interrupted"));
  server.put(ROUTE, { metadata: { name: "posts" }, spec: { changed: true } });
  writer.report([accepted]);
  await until(() => writes().length === 1);
  await quiet();
  expect(statusOf(ROUTE)).toBeUndefined();
});

test("status writer > somebody else's overwriting of our entry is made good", async () => {
  const { writer } = await startReplica();
  writer.report([accepted]);
  await written(ROUTE);
  server.put(ROUTE, { metadata: { name: "posts" }, spec: {}, status: { parents: [] } });
  await until(() => parents().length === 1);
});

test("status writer > a Gateway has conditions, addresses and its listeners; a class what it supports", async () => {
  server.put(GATEWAY, {
    metadata: { name: "portico" },
    status: { conditions: [{ type: "example.com/Theirs", status: "True" }, { type: "Accepted" }] },
  });
  server.put(CLASS, { metadata: { name: "portico" } });
  const { writer } = await startReplica();
  const gateway = { object: parent, generation: 1 };
  const kinds = [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute" }];
  writer.report([
    {
      object: { kind: "GatewayClass", namespace: "", name: "portico" },
      ...{ generation: 1, conditions: [holds("Accepted")] },
    },
    {
      ...gateway,
      addresses: [{ type: "IPAddress", value: "10.96.0.7" }],
      conditions: [holds("Accepted"), holds("Programmed")],
    },
    {
      ...gateway,
      ...{ listener: "http", attachedRoutes: 3, supportedKinds: kinds },
      conditions: [holds("Accepted")],
    },
  ]);
  await until(() => statusOf(GATEWAY)?.listeners !== undefined);
  expect(statusOf(GATEWAY)).toMatchObject({
    addresses: [{ type: "IPAddress", value: "10.96.0.7" }],
    conditions: [{ type: "example.com/Theirs" }, { type: "Accepted" }, { type: "Programmed" }],
    listeners: [{ name: "http", attachedRoutes: 3, supportedKinds: kinds }],
  });
  await written(CLASS);
  expect(statusOf(CLASS)).toMatchObject({
    supportedFeatures: expect.arrayContaining([{ name: "HTTPRoute" }]),
    conditions: [{ type: "Accepted", status: "True" }],
  });
});

test("status writer > a policy has an entry for each of its targets", async () => {
  server.put(POLICY, { metadata: { name: "tokens" }, spec: {} });
  const { writer } = await startReplica();
  const policy = { kind: "JWTPolicy", namespace: "portico", name: "tokens" };
  writer.report([{ object: policy, generation: 1, parent, conditions: [holds("Accepted")] }]);
  await written(POLICY);
  expect(statusOf(POLICY)).toMatchObject({
    ancestors: [{ ancestorRef: parent, controllerName: OURS }],
  });
});

test("status writer > what is not known yet does not replace what was, maybe by another replica", async () => {
  server.put(GATEWAY, { metadata: { name: "portico" } });
  const { writer } = await startReplica();
  const verdict = { object: parent, generation: 1 };
  writer.report([{ ...verdict, conditions: [holds("Accepted"), holds("Programmed")] }]);
  await written(GATEWAY);
  const pending = fails("Programmed", { reason: "Pending", message: "not yet" });
  writer.report([{ ...verdict, conditions: [holds("Accepted"), pending] }]);
  await quiet();
  expect(writes()).toHaveLength(1);
});

test("status writer > without permission it says so once for each object, and goes on", async () => {
  server.put(POLICY, { metadata: { name: "tokens" }, spec: {} });
  server.failOn(/PATCH .*httproutes/, 403);
  const { writer } = await startReplica();
  const policy = { kind: "JWTPolicy", namespace: "portico", name: "tokens" };
  const other = { object: policy, generation: 1, parent, conditions: [holds("Accepted")] };
  writer.report([accepted, other]);
  await written(POLICY);
  writer.report([accepted, other]);
  await quiet();
  expect(lines.filter(({ event }) => event === "status.failed")).toHaveLength(1);
});

test("status writer > a server that fails is asked again", async () => {
  server.failOn(/PATCH/, 500);
  const { writer } = await startReplica();
  writer.report([accepted]);
  await until(() => lines.some(({ event }) => event === "status.failed"));
  server.recover();
  await written(ROUTE);
});

test("pace > spreads what goes beyond a burst", async () => {
  const pace = createPace({ aSecond: 100, burst: 10 });
  const started = performance.now();
  await Promise.all(Array.from({ length: 30 }, () => pace.wait()));
  expect(performance.now() - started).toBeGreaterThan(180);
});
