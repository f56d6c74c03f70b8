/** The objects of a cluster with one Gateway, one backend and many HTTPRoutes, as an API server has them. */
import type { FakeApiServer, FakeObject } from "../../gateway/src/kubernetes/fake-api-server.ts";

const namespace = "portico";
const group = "gateway.networking.k8s.io/v1";
const backend = "backend";

/** Namespace and name of the one Gateway. */
export const GATEWAY = `${namespace}/portico`;

/** Told in an answer, so that a client sees which version of its route it was served by. */
export const VERSION_HEADER = "x-version";

/** `paths`: all routes on one host; `hosts`: each on a host of its own, as Envoy Gateway's benchmark has them. */
export type Shape = "paths" | "hosts";

export interface ManyRoutes {
  readonly shape: Shape;
  readonly count: number;
  readonly backendPort: number;
}

export function fill(server: FakeApiServer, { shape, count, backendPort }: ManyRoutes): void {
  server.install(...RESOURCES_WITHOUT_OBJECTS);
  server.put(`/apis/${group}/gatewayclasses/portico`, {
    metadata: { name: "portico" },
    spec: { controllerName: "gateway.portico.dev/controller" },
  });
  server.put(`/api/v1/namespaces/${namespace}`, { metadata: { name: namespace } });
  put(server, `/apis/${group}`, "gateways", "portico", {
    spec: {
      gatewayClassName: "portico",
      listeners: [{ name: "http", port: 80, protocol: "HTTP" }],
    },
  });
  put(server, "/api/v1", "services", backend, { spec: { ports: [{ name: "http", port: 80 }] } });
  put(server, "/apis/discovery.k8s.io/v1", "endpointslices", backend, {
    metadata: { name: backend, labels: { "kubernetes.io/service-name": backend } },
    addressType: "IPv4",
    ports: [{ name: "http", port: backendPort }],
    endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready: true } }],
  });
  for (let index = 0; index < count; index += 1) {
    putRoute(server, shape, index, 0);
  }
}

/** From its first version on, a route says which one it is. */
export function putRoute(server: FakeApiServer, shape: Shape, index: number, version: number) {
  const { host, path } = addressOf(shape, index);
  put(server, `/apis/${group}`, "httproutes", `route-${index}`, {
    spec: {
      parentRefs: [{ name: "portico" }],
      ...(host && { hostnames: [host] }),
      rules: [
        {
          matches: [{ path: { type: "PathPrefix", value: path } }],
          ...(version > 0 && { filters: [sayVersion(version)] }),
          backendRefs: [{ name: backend, port: 80 }],
        },
      ],
    },
  });
}

function sayVersion(version: number) {
  const set = [{ name: VERSION_HEADER, value: String(version) }];
  return { type: "ResponseHeaderModifier", responseHeaderModifier: { set } };
}

export function addressOf(shape: Shape, index: number): { host?: string; path: string } {
  return shape === "hosts"
    ? { host: `host-${index}.example.com`, path: "/" }
    : { path: `/path-${index}` };
}

function put(
  server: FakeApiServer,
  api: string,
  plural: string,
  name: string,
  object: Omit<FakeObject, "metadata"> & { metadata?: FakeObject["metadata"] },
) {
  server.put(`${api}/namespaces/${namespace}/${plural}/${name}`, {
    metadata: { name },
    ...object,
  });
}

const RESOURCES_WITHOUT_OBJECTS = ["/api/v1/secrets", "/api/v1/configmaps"];
