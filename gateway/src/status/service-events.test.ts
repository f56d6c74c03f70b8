import { afterEach, beforeEach, expect, test } from "vitest";
import { CLOSED_GATEWAY, readYaml } from "../features/given.ts";
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
import { createServiceEvents } from "./service-events.ts";

/** From a Service on an API server to the Event that a person finds beside it. */

const KINDS: readonly Kind[] = ["GatewayClass", "Gateway", "HTTPRoute", "Service"];
const API = "/apis/gateway.networking.k8s.io/v1";
const THINGS = "/api/v1/namespaces/portico/services/things";
const EVENTS = "/api/v1/namespaces/portico/events";

let server: FakeApiServer;
let lines: { event: string }[];
let stops: (() => unknown)[];
const logger = createLogger("debug", (line) => lines.push(JSON.parse(line)));

async function startReplica(repeatMs?: number) {
  const client = createApiClient({ server: server.url, tls: {}, token: async () => undefined });
  const waits = { firstRetryMs: 5, longestRetryMs: 50, absentMs: 40 };
  const source = createKubernetesSource(client, logger, { kinds: KINDS, waits, patienceMs: 2000 });
  const events = createServiceEvents({ client, source, logger, ...(repeatMs && { repeatMs }) });
  const rebuild = async () =>
    events.report(buildModel(takeSnapshot(await source.list(), "portico")).verdicts);
  stops.push(() => source.stop(), events.stop);
  source.watch(() => void rebuild().catch(() => undefined));
  await rebuild();
}

beforeEach(async () => {
  lines = [];
  stops = [];
  server = await startFakeApiServer();
  server.install(`${API}/httproutes`, "/api/v1/services");
  for (const object of readYaml(CLOSED_GATEWAY) as (FakeObject & { kind: string })[]) {
    const isClass = object.kind === "GatewayClass";
    const place = isClass ? "gatewayclasses" : "namespaces/portico/gateways";
    server.put(`${API}/${place}/${object.metadata.name}`, object);
  }
});

afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
  await server.stop();
});

const put = (route?: string) =>
  server.put(THINGS, {
    metadata: {
      name: "things",
      annotations: {
        ...(route !== undefined && { "gateway.portico.dev/route": route }),
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
      },
    },
    spec: { ports: [{ port: 80 }] },
  });
const posts = () => server.requests.filter((request) => request === `POST ${EVENTS}`);
const events = () =>
  server
    .paths(`${EVENTS}/`)
    .map(
      (path) => server.get(path) as unknown as { type: string; reason: string; message: string },
    );

test("a Service's annotation > is answered by an Event on the Service, good or bad", async () => {
  put("/things");
  await startReplica();
  await until(() => events().length === 1);
  expect(events()[0]).toMatchObject({
    type: "Normal",
    reason: "Routed",
    message: expect.stringContaining("on Gateway portico/portico"),
    involvedObject: {
      kind: "Service",
      namespace: "portico",
      name: "things",
      uid: `uid-of-${THINGS}`,
    },
  });
  put("things");
  await until(() => events().length === 2);
  expect(events()[1]).toMatchObject({
    type: "Warning",
    reason: "InvalidAnnotation",
    message: expect.stringContaining('"things" is not a path such as /things'),
  });
});

test("Events > are one for all replicas, and none for a Service that asks for nothing", async () => {
  put();
  await startReplica();
  await startReplica();
  expect(posts()).toEqual([]);
  put("things");
  await until(() => posts().length === 2);
  expect(events()).toHaveLength(1);
  expect(lines.filter(({ event }) => event === "event.failed")).toEqual([]);
});

test("what is still wrong > is told again when the server has forgotten it", async () => {
  put("things");
  await startReplica(50);
  await until(() => events().length === 1);
  for (const path of server.paths(`${EVENTS}/`)) {
    server.remove(path);
  }
  await until(() => events().length === 1);
});

test("without permission > it says so once for each verdict, and asks again for the next one", async () => {
  server.failOn(/POST .*events/, 403);
  put("things");
  await startReplica();
  await until(() => lines.some(({ event }) => event === "event.failed"));
  server.put("/api/v1/namespaces/portico/services/other", {
    metadata: { name: "other" },
    spec: {},
  });
  server.recover();
  put("thing");
  await until(() => events().length === 1);
  expect(posts()).toHaveLength(2);
  expect(lines.filter(({ event }) => event === "event.failed")).toHaveLength(1);
});
