import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { until } from "../features/real-envoy.ts";
import { createApiClient } from "../kubernetes/api-client.ts";
import { type FakeApiServer, startFakeApiServer } from "../kubernetes/fake-api-server.ts";
import { createLogger } from "../logger.ts";
import { createKubernetesSource, type KubernetesSource } from "./kubernetes-source.ts";
import type { Kind } from "./metadata.ts";

const ROUTES = "/apis/gateway.networking.k8s.io/v1/httproutes";
const SERVICES = "/api/v1/services";
const POLICIES = "/apis/gateway.portico.dev/v1alpha1/jwtpolicies";
const KINDS: readonly Kind[] = ["HTTPRoute", "Service", "JWTPolicy"];
const WAITS = { firstRetryMs: 5, longestRetryMs: 50, absentMs: 40 };
const pathOfRoute = (name: string) =>
  `/apis/gateway.networking.k8s.io/v1/namespaces/portico/httproutes/${name}`;
const route = (name: string, path = "/") => ({ metadata: { name }, spec: { path } });

let server: FakeApiServer;
let source: KubernetesSource;
let lines: { event: string; kind?: string; message?: string }[];
const changed = vi.fn();

function createSource() {
  lines = [];
  const logger = createLogger("debug", (line) => lines.push(JSON.parse(line)));
  const connection = { server: server.url, tls: {}, token: async () => "secret-of-ours" };
  return createKubernetesSource(createApiClient(connection), logger, {
    kinds: KINDS,
    waits: WAITS,
  });
}

beforeEach(async () => {
  changed.mockReset();
  server = await startFakeApiServer();
  server.install(ROUTES, SERVICES, POLICIES);
  source = createSource();
});

afterEach(async () => {
  source.stop();
  await server.stop();
});

async function started() {
  source.watch(changed);
  await until(() =>
    source.list().then(
      () => true,
      () => false,
    ),
  );
}

const names = async () =>
  (await source.list()).objects
    .map(({ value }) => (value as { metadata: { name: string } }).metadata.name)
    .sort();
const holds = (...expected: string[]) =>
  until(async () => `${await names().catch(String)}` === `${expected}`);
const watching = (collection: string) => until(() => server.watchers(collection) === 1);
const lists = (collection: string) =>
  server.requests.filter((one) => one.startsWith(`GET ${collection}?limit`)).length;

test("kubernetes source > lists what is there, page by page, with its kind and without what no schema reads", async () => {
  for (let i = 0; i < 600; i++) {
    server.put(pathOfRoute(`route-${i}`), {
      metadata: { name: `route-${i}`, managedFields: [{}], labels: { app: "x" } },
      spec: { path: "/" },
      status: { parents: [] },
    });
  }
  await started();
  const { objects } = await source.list();
  expect(objects).toHaveLength(600);
  expect(objects[0]).toEqual({
    origin: "HTTPRoute portico/route-0",
    value: {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "HTTPRoute",
      metadata: {
        ...{ name: "route-0", namespace: "portico", generation: 1, labels: { app: "x" } },
        creationTimestamp: "2026-01-01T00:00:00Z",
      },
      spec: { path: "/" },
    },
  });
  expect(lists(ROUTES)).toBe(2);
});

test("kubernetes source > follows what is added, changed and removed, and tells of each", async () => {
  await started();
  await watching(ROUTES);
  server.put(pathOfRoute("a"), route("a"));
  await holds("a");
  server.put(pathOfRoute("b"), route("b"));
  await holds("a", "b");
  changed.mockReset();
  server.put(pathOfRoute("a"), route("a", "/changed"));
  await until(() => changed.mock.calls.length === 1);
  expect(JSON.stringify((await source.list()).objects)).toContain("/changed");
  server.remove(pathOfRoute("a"));
  await holds("b");
  expect(lists(ROUTES)).toBe(1);
});

test("kubernetes source > is no listing until every kind was listed: a part is not taken for the whole", async () => {
  server.put(pathOfRoute("a"), route("a"));
  server.failOn(/services/, 503);
  source.watch(changed);
  await watching(ROUTES);
  await expect(source.list()).rejects.toThrow(/Service \(503 .*made to fail/);
  expect(changed).not.toHaveBeenCalled();
  server.recover();
  await holds("a");
  expect(changed).toHaveBeenCalled();
});

test("kubernetes source > keeps everything while the server is away, and has the difference when it is back", async () => {
  server.put(pathOfRoute("a"), route("a"));
  await started();
  await watching(ROUTES);
  server.failOn(/./, 500);
  server.disconnect();
  await until(() => lines.some(({ event }) => event === "watch.interrupted"));
  expect(await names()).toEqual(["a"]);
  server.put(pathOfRoute("b"), route("b"));
  server.recover();
  await holds("a", "b");
  await until(() => lines.some(({ event }) => event === "watch.resumed"));
});

test("kubernetes source > goes on from where it was when a connection breaks, without listing again", async () => {
  await started();
  await watching(ROUTES);
  server.disconnect();
  server.put(pathOfRoute("a"), route("a"));
  await holds("a");
  expect(lists(ROUTES)).toBe(1);
});

test("kubernetes source > lists again when the server has forgotten what happened (410), be it by status or by event", async () => {
  await started();
  await watching(ROUTES);
  server.compact();
  server.disconnect();
  server.put(pathOfRoute("a"), route("a"));
  await holds("a");
  expect(lists(ROUTES)).toBe(2);
  await watching(ROUTES);
  const gone = { kind: "Status", code: 410, message: "too old resource version", metadata: {} };
  server.send(`${JSON.stringify({ type: "ERROR", object: gone })}\n`);
  await until(() => lists(ROUTES) === 3);
  expect(await names()).toEqual(["a"]);
});

test("kubernetes source > a new list takes away what was removed meanwhile", async () => {
  server.put(pathOfRoute("a"), route("a"));
  server.put(pathOfRoute("b"), route("b"));
  await started();
  await watching(ROUTES);
  server.failOn(/./, 500);
  server.disconnect();
  server.remove(pathOfRoute("a"));
  server.compact();
  server.recover();
  await holds("b");
});

test("kubernetes source > moves on by bookmarks, so that a quiet kind is never too old", async () => {
  await started();
  await watching(ROUTES);
  const object = { metadata: { resourceVersion: "12345" } };
  server.send(`${JSON.stringify({ type: "BOOKMARK", object })}\n`);
  await new Promise((resolve) => setTimeout(resolve, 200));
  server.disconnect();
  await until(() => server.requests.some((one) => one.includes("resourceVersion=12345")));
});

test("kubernetes source > half a line and a line that is no JSON break nothing", async () => {
  await started();
  await watching(ROUTES);
  server.send("{ not json }\n");
  server.put(pathOfRoute("a"), route("a"));
  await holds("a");
  server.send('{"type":"ADD');
  server.disconnect();
  server.put(pathOfRoute("b"), route("b"));
  await holds("a", "b");
});

test("kubernetes source > a slow server is waited for", async () => {
  server.put(pathOfRoute("a"), route("a"));
  server.delay(150);
  await started();
  expect(await names()).toEqual(["a"]);
});

test("kubernetes source > a kind that is not installed is told once, is no obstacle, and is found when it is", async () => {
  server.uninstall(POLICIES);
  server.put(pathOfRoute("a"), route("a"));
  await started();
  await until(() => lists(POLICIES) > 2);
  expect(lines.filter(({ kind }) => kind === "JWTPolicy")).toEqual([
    expect.objectContaining({
      event: "watch.interrupted",
      message: "jwtpolicies.gateway.portico.dev is not installed",
    }),
  ]);
  server.put(POLICIES.replace("jwt", "namespaces/portico/jwt").concat("/p"), route("p"));
  await holds("a", "p");
});

test("kubernetes source > a kind that is missing for a moment keeps its objects; one that stays missing loses them", async () => {
  server.put(pathOfRoute("a"), route("a"));
  await started();
  await watching(ROUTES);
  server.failOn(/httproutes/, 404);
  server.disconnect();
  const before = server.requests.length;
  await until(() => server.requests.slice(before).some((one) => one.includes("httproutes?limit")));
  expect(await names()).toEqual(["a"]);
  await until(async () => (await names()).length === 0);
});

test("kubernetes source > what the role does not allow: needed kinds are waited for, the others do without", async () => {
  server.put(pathOfRoute("a"), route("a"));
  server.failOn(/jwtpolicies|services/, 403);
  source.watch(changed);
  await watching(ROUTES);
  await expect(source.list()).rejects.toThrow(
    "Service (services may not be listed: give the controller's role get, list and watch)",
  );
  server.recover();
  server.failOn(/jwtpolicies/, 403);
  await holds("a");
});

test("kubernetes source > a write of status alone is no change of the snapshot, and the object stays the same one", async () => {
  const live = vi.fn();
  server.put(pathOfRoute("a"), route("a"));
  source.watchLive(live);
  await started();
  await watching(ROUTES);
  const [before] = (await source.list()).objects;
  changed.mockReset();
  server.put(pathOfRoute("a"), { ...route("a"), status: { parents: [1] } });
  const ref = { kind: "HTTPRoute", namespace: "portico", name: "a" };
  await until(() => source.live(ref)?.status !== undefined);
  expect(source.live(ref)).toMatchObject({ generation: 1, status: { parents: [1] } });
  expect(live).toHaveBeenCalled();
  expect(changed).not.toHaveBeenCalled();
  expect((await source.list()).objects[0]?.value).toBe(before?.value);
});

test("kubernetes source > reads an older version where there is no newer one", async () => {
  server.uninstall(ROUTES);
  const path = pathOfRoute("a").replace("/v1/", "/v1beta1/");
  server.put(path, route("a"));
  await started();
  expect((await source.list()).objects[0]?.value).toMatchObject({
    apiVersion: "gateway.networking.k8s.io/v1beta1",
  });
});

test("kubernetes source > never prints its token", async () => {
  server.failOn(/./, 401);
  source.watch(changed);
  await until(() => lines.length > 0);
  expect(JSON.stringify(lines)).not.toContain("secret-of-ours");
});
