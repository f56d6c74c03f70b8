import { afterEach, beforeEach, expect, test } from "vitest";
import { until } from "../features/real-envoy.ts";
import { createApiClient } from "../kubernetes/api-client.ts";
import { type FakeApiServer, startFakeApiServer } from "../kubernetes/fake-api-server.ts";
import { createLogger } from "../logger.ts";
import { addressesOf, type Fleet, type ServedGateway, serviceOf } from "./gateway-service.ts";
import { createGatewayServices } from "./gateway-services.ts";
import { socketPortOf } from "./socket-ports.ts";

const fleet: Fleet = {
  ...{ namespace: "edge", selector: { app: "envoy" }, serviceType: "ClusterIP" },
};
const gateway: ServedGateway = {
  ...{ namespace: "shop", name: "web", labels: {}, annotations: {} },
  ports: [
    { port: 443, socketPort: 20_443 },
    { port: 80, socketPort: 20_080 },
  ],
};
const other: ServedGateway = {
  ...gateway,
  name: "other",
  ports: [{ port: 80, socketPort: 30_080 }],
};
const name = serviceOf(gateway, fleet).metadata.name;
const PATH = `/api/v1/namespaces/edge/services/${name}`;
const foreign = "/api/v1/namespaces/edge/services/foreign";

let server: FakeApiServer;
let stops: (() => unknown)[];
let lines: string[];

function startReplica(ofFleet = fleet) {
  const client = createApiClient({ server: server.url, tls: {}, token: async () => undefined });
  const logger = createLogger("debug", (line) => lines.push(line));
  const waits = { firstRetryMs: 5, longestRetryMs: 50, absentMs: 40, unwantedMs: 3000 };
  const services = createGatewayServices({
    ...{ client, logger, fleet: ofFleet, waits, changed: () => undefined },
  });
  services.start();
  stops.push(services.stop);
  return services;
}

beforeEach(async () => {
  stops = [];
  lines = [];
  server = await startFakeApiServer();
  server.put(foreign, { metadata: { name: "foreign" }, spec: { clusterIP: "10.96.0.99" } });
});

afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
  await server.stop();
});

const exists = (path: string) => {
  try {
    return server.get(path) !== undefined;
  } catch {
    return false;
  }
};
const writes = () => server.requests.filter((request) => !request.startsWith("GET")).length;
const quiet = () => new Promise((resolve) => setTimeout(resolve, 100));

test("gateway services > a Gateway has one beside the fleet, from its ports to the sockets", async () => {
  startReplica().provide([gateway]);
  await until(() => exists(PATH));
  expect(server.get(PATH)).toMatchObject({
    metadata: {
      labels: {
        "app.kubernetes.io/managed-by": "portico-gateway",
        "gateway.networking.k8s.io/gateway-name": "web",
        "gateway.portico.dev/gateway-namespace": "shop",
      },
    },
    spec: {
      type: "ClusterIP",
      selector: { app: "envoy" },
      ports: [
        { name: "port-80", port: 80, targetPort: 20_080, protocol: "TCP" },
        { name: "port-443", port: 443, targetPort: 20_443, protocol: "TCP" },
      ],
    },
  });
});

test("gateway services > two replicas end at the same, and then nothing more is written", async () => {
  const [one, two] = [startReplica(), startReplica()];
  one.provide([gateway, other]);
  two.provide([gateway, other]);
  await until(() => exists(PATH));
  await quiet();
  const before = writes();
  one.provide([gateway, other]);
  two.provide([gateway, other]);
  await quiet();
  expect(writes()).toBe(before);
  expect(lines.filter((line) => line.includes("service.failed"))).toEqual([]);
});

test("gateway services > follows the Gateway's ports, and mends what somebody else changed", async () => {
  const services = startReplica();
  services.provide([gateway]);
  await until(() => exists(PATH));
  services.provide([{ ...gateway, ports: [{ port: 8080, socketPort: 28_080 }] }]);
  await until(() => JSON.stringify(server.get(PATH).spec).includes("28080"));
  const { metadata, spec } = server.get(PATH);
  server.put(PATH, {
    metadata: { ...metadata },
    spec: { ...(spec as object), selector: { app: "x" } },
  });
  await until(() => JSON.stringify(server.get(PATH).spec).includes('"app":"envoy"'));
});

test("gateway services > a Gateway that is gone loses its Service; nobody else's is touched", async () => {
  const services = startReplica();
  services.provide([gateway, other]);
  await until(() => exists(PATH));
  services.provide([other]);
  await until(() => !exists(PATH));
  expect(exists(foreign)).toBe(true);
  // A body whose length nobody announced would be taken for the next request on that connection.
  expect(server.malformed()).toBe(0);
  services.provide([gateway, other]);
  await until(() => exists(PATH));
  expect(server.malformed()).toBe(0);
});

test("gateway services > nothing is removed before it is known which Gateways there are", async () => {
  const service = serviceOf(gateway, fleet);
  server.put(PATH, { ...service, metadata: { ...service.metadata } });
  startReplica();
  await until(() => server.requests.some((request) => request.includes("watch")));
  await quiet();
  expect(exists(PATH)).toBe(true);
});

test("gateway services > a Service that another replica made keeps its address, though we have not heard of the Gateway yet", async () => {
  server.put("/apis/gateway.networking.k8s.io/v1/namespaces/shop/gateways/web", {
    metadata: { name: "web" },
    spec: {},
  });
  const [early, late] = [startReplica(), startReplica()];
  late.provide([]);
  early.provide([gateway]);
  await until(() => exists(PATH));
  const { uid } = server.get(PATH).metadata;
  await until(() => server.requests.some((line) => line.endsWith("/gateways/web")));
  await quiet();
  expect(lines.filter((line) => line.includes("service.removed"))).toEqual([]);
  late.provide([gateway]);
  await quiet();
  expect(server.get(PATH).metadata.uid).toBe(uid);
});

test("gateway services > a Gateway that is there, and no longer ours, loses its Service", async () => {
  server.put("/apis/gateway.networking.k8s.io/v1/namespaces/shop/gateways/web", {
    metadata: { name: "web" },
    spec: {},
  });
  const services = startReplica();
  services.provide([gateway]);
  await until(() => exists(PATH));
  services.provide([]);
  await quiet();
  expect(exists(PATH)).toBe(true);
  await until(() => !exists(PATH));
});

test("gateway services > a server that fails is asked again", async () => {
  server.failOn(/POST/, 500);
  startReplica().provide([gateway]);
  await until(() => lines.some((line) => line.includes("service.failed")));
  server.recover();
  await until(() => exists(PATH));
});

test("gateway services > the address is the Service's own, or its load balancer's once it has one", async () => {
  const services = startReplica();
  services.provide([gateway]);
  await until(() => exists(PATH));
  expect(services.addressesOf("shop/web")).toEqual([]);
  const { metadata, spec } = server.get(PATH);
  server.put(PATH, {
    metadata: { ...metadata },
    spec: { ...(spec as object), clusterIP: "10.96.0.7" },
  });
  await until(() => services.addressesOf("shop/web").length === 1);
  expect(services.addressesOf("shop/web")).toEqual([{ type: "IPAddress", value: "10.96.0.7" }]);

  const balanced = { metadata: { name }, spec: { type: "LoadBalancer", clusterIP: "10.96.0.7" } };
  expect(addressesOf(balanced)).toEqual([]);
  const status = { loadBalancer: { ingress: [{ hostname: "lb.example" }, { ip: "192.0.2.1" }] } };
  expect(addressesOf({ ...balanced, status })).toEqual([
    { type: "Hostname", value: "lb.example" },
    { type: "IPAddress", value: "192.0.2.1" },
  ]);
});

test("gateway services > a Gateway may ask for a type, labels and annotations of its Service", () => {
  const { metadata, spec } = serviceOf(
    {
      ...gateway,
      labels: { team: "web", "app.kubernetes.io/managed-by": "me" },
      annotations: {
        "gateway.portico.dev/service-type": "LoadBalancer",
        "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal",
      },
    },
    fleet,
  );
  expect(spec).toMatchObject({ type: "LoadBalancer", externalTrafficPolicy: "Local" });
  expect(metadata.annotations).toEqual({
    "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal",
  });
  expect(metadata.labels).toMatchObject({
    team: "web",
    "app.kubernetes.io/managed-by": "portico-gateway",
  });
});

test("gateway services > with the right to make it, each has a name in the Gateway's own namespace, too", async () => {
  const alias = "/api/v1/namespaces/shop/services/gateway-web";
  const services = startReplica({ ...fleet, aliasDomain: "cluster.local" });
  services.provide([gateway]);
  await until(() => exists(alias) && exists(PATH));
  expect(server.get(alias)).toMatchObject({
    metadata: { labels: { "gateway.networking.k8s.io/gateway-name": "web" } },
    spec: { type: "ExternalName", externalName: `${name}.edge.svc.cluster.local` },
  });
  await quiet();
  const before = writes();
  services.provide([gateway]);
  await quiet();
  expect(writes()).toBe(before);
  services.provide([]);
  await until(() => !exists(alias) && !exists(PATH));
});

test("gateway services > names are DNS labels, and no two Gateways share one", () => {
  const nameOf = (namespace: string, name: string) =>
    serviceOf({ ...gateway, namespace, name }, fleet).metadata.name;
  const long = nameOf("a".repeat(63), "b.".repeat(30).concat("b"));
  expect(long).toMatch(/^[a-z]([a-z0-9-]{0,61}[a-z0-9])$/);
  expect(nameOf("a-b", "c")).not.toBe(nameOf("a", "b-c"));
});

test("socket ports > are the same at every start, above those of the system, and move on when taken", () => {
  const free = () => false;
  const first = socketPortOf("shop/web", 80, free);
  expect(socketPortOf("shop/web", 80, free)).toBe(first);
  expect(socketPortOf("shop/web", 443, free)).not.toBe(first);
  expect(first).toBeGreaterThanOrEqual(10_000);
  expect(first).toBeLessThan(60_000);
  const next = socketPortOf("shop/web", 80, (port) => port === first);
  expect(next).toBe(first === 59_999 ? 10_000 : first + 1);
  expect(() => socketPortOf("shop/web", 80, () => true)).toThrow("taken");
});
