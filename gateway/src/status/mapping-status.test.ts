import { afterEach, beforeEach, expect, test } from "vitest";
import { CLOSED_GATEWAY, readYaml, service } from "../features/given.ts";
import { until } from "../features/real-envoy.ts";
import { createApiClient } from "../kubernetes/api-client.ts";
import {
  type FakeApiServer,
  type FakeObject,
  startFakeApiServer,
} from "../kubernetes/fake-api-server.ts";
import { createLogger } from "../logger.ts";
import { buildModel } from "../model/build-model.ts";
import { createKubernetesSource } from "../snapshot/kubernetes-source.ts";
import type { Kind } from "../snapshot/metadata.ts";
import { takeSnapshot } from "../snapshot/snapshot.ts";
import { createStatusWriter } from "./status-writer.ts";

/** From a Mapping on an API server, whose CRD may be missing, to its status in Emissary's words. */

const KINDS: readonly Kind[] = ["GatewayClass", "Gateway", "Service", "Mapping"];
const API = "/apis/gateway.networking.k8s.io/v1";
const MAPPINGS = "/apis/getambassador.io/v3alpha1/mappings";
const ORDERS = "/apis/getambassador.io/v3alpha1/namespaces/portico/mappings/orders";
const good = { hostname: "*", prefix: "/orders/", service: "web" };

let server: FakeApiServer;
let lines: { event: string }[];
let stops: (() => unknown)[];
const logger = createLogger("debug", (line) => lines.push(JSON.parse(line)));

async function startReplica() {
  const client = createApiClient({ server: server.url, tls: {}, token: async () => undefined });
  const waits = { firstRetryMs: 5, longestRetryMs: 50, absentMs: 40 };
  const source = createKubernetesSource(client, logger, { kinds: KINDS, waits, patienceMs: 5000 });
  const writer = createStatusWriter({ client, source, logger, quietMs: 5 });
  const rebuild = async () =>
    writer.report(buildModel(takeSnapshot(await source.list(), "portico")).verdicts);
  stops.push(() => source.stop(), writer.stop);
  source.watch(() => void rebuild().catch(() => undefined));
  await rebuild();
}

beforeEach(async () => {
  lines = [];
  stops = [];
  server = await startFakeApiServer();
  const [web] = readYaml(service("web")) as FakeObject[];
  server.put("/api/v1/namespaces/portico/services/web", web as FakeObject);
  for (const object of readYaml(CLOSED_GATEWAY) as (FakeObject & { kind: string })[]) {
    const place = object.kind === "Gateway" ? "namespaces/portico/gateways" : "gatewayclasses";
    server.put(`${API}/${place}/${object.metadata.name}`, object);
  }
});

afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
  await server.stop();
});

const put = (spec: object, path = ORDERS) =>
  server.put(path, { metadata: { name: path.replace(/.*\//, "") }, spec });
const statusOf = (path = ORDERS) => server.get(path).status as Record<string, string> | undefined;
const isState = (state: string, path = ORDERS) => until(() => statusOf(path)?.state === state);
const writes = () =>
  server.requests.filter((request) => request.startsWith("PATCH") && request.includes("mappings"));
const quiet = () => new Promise((resolve) => setTimeout(resolve, 150));

test("a Mapping > is Running, or Inactive with the reason, and follows what becomes of it", async () => {
  put(good);
  await startReplica();
  await isState("Running");
  expect(statusOf()).toEqual({ state: "Running", reason: "" });
  put({ ...good, service: "nobody" });
  await isState("Inactive");
  expect(statusOf()?.reason).toBe("there is no Service portico/nobody");
  put({ ...good, labels: {} });
  await until(() => String(statusOf()?.reason).includes("has labels, which this gateway"));
  put({ ...good, keepalive: {} });
  await isState("Running");
  expect(statusOf()?.reason).toBe("is served; not carried out: keepalive");
});

test("of two replicas > one writes, and neither writes what is there", async () => {
  put(good);
  await Promise.all([startReplica(), startReplica()]);
  await isState("Running");
  await quiet();
  const before = writes().length;
  expect(before).toBeLessThanOrEqual(2);
  await startReplica();
  await quiet();
  expect(writes()).toHaveLength(before);
  expect(lines.filter(({ event }) => event === "status.failed")).toEqual([]);
});

test("without the CRD > all else is read and nothing of it is written; installed later, it is found", async () => {
  await startReplica();
  const gateway = `${API}/namespaces/portico/gateways/portico`;
  await until(() => server.get(gateway).status !== undefined);
  expect(writes()).toEqual([]);
  server.install(MAPPINGS);
  put(good);
  await isState("Running");
  expect(server.watchers(MAPPINGS)).toBe(1);
});

test("an older Ambassador's v2 > is read where there is no v3alpha1", async () => {
  const path = ORDERS.replace("v3alpha1", "v2");
  put({ prefix: "/orders/", service: "web", headers: { "x-a": true } }, path);
  await startReplica();
  await isState("Running", path);
});
