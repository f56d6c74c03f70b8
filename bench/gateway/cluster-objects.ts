/** The objects of a cluster with one backend and many HTTPRoutes, whoever serves them. */
import type { FakeObject } from "../../gateway/src/kubernetes/fake-api-server.ts";

/** As an API server has it: where it is, and what. */
export interface ClusterObject {
  /** Of its collection: `/apis/GROUP/VERSION/namespaces/NAMESPACE/PLURAL`. */
  readonly collection: string;
  readonly name: string;
  readonly object: FakeObject;
}

/** Told in an answer, so that a client sees which version of its route it was served by. */
export const VERSION_HEADER = "x-version";

/** `paths`: all routes on one host; `hosts`: each on a host of its own, as Envoy Gateway's benchmark has them. */
export type Shape = "paths" | "hosts";

const GROUP = "gateway.networking.k8s.io/v1";
const BACKEND = "backend";

export interface BenchCluster {
  readonly namespace: string;
  readonly shape: Shape;
  readonly count: number;
  /** Names of Gateways, by their controllers: each of them serves every route. */
  readonly gateways: Readonly<Record<string, string>>;
  readonly gatewayPort: number;
  readonly backend: { readonly address: string; readonly port: number };
}

export function objectsOf(cluster: BenchCluster): ClusterObject[] {
  const { namespace, backend } = cluster;
  return [
    ...Object.entries(cluster.gateways).flatMap(([controllerName, name]) =>
      gatewayOf(cluster, name, controllerName),
    ),
    inNamespace(namespace, "/api/v1", "services", "Service", BACKEND, {
      spec: { ports: [{ name: "http", port: 80 }] },
    }),
    inNamespace(
      ...([namespace, "/apis/discovery.k8s.io/v1", "endpointslices", "EndpointSlice"] as const),
      BACKEND,
      {
        metadata: { name: BACKEND, labels: { "kubernetes.io/service-name": BACKEND } },
        addressType: "IPv4",
        ports: [{ name: "http", port: backend.port }],
        endpoints: [{ addresses: [backend.address], conditions: { ready: true } }],
      },
    ),
    ...Array.from({ length: cluster.count }, (_, index) => routeOf(cluster, index, 0)),
  ];
}

function gatewayOf(
  { namespace, gatewayPort }: BenchCluster,
  name: string,
  controllerName: string,
): ClusterObject[] {
  return [
    {
      collection: `/apis/${GROUP}/gatewayclasses`,
      name,
      object: {
        ...{ apiVersion: GROUP, kind: "GatewayClass", metadata: { name } },
        spec: { controllerName },
      },
    },
    inNamespace(namespace, `/apis/${GROUP}`, "gateways", "Gateway", name, {
      spec: {
        gatewayClassName: name,
        listeners: [{ name: "http", port: gatewayPort, protocol: "HTTP" }],
      },
    }),
  ];
}

/** From its first version on, a route says which one it is. */
export function routeOf(
  { namespace, shape, gateways }: BenchCluster,
  index: number,
  version: number,
): ClusterObject {
  const { host, path } = addressOf(shape, index);
  return inNamespace(namespace, `/apis/${GROUP}`, "httproutes", "HTTPRoute", `route-${index}`, {
    spec: {
      parentRefs: Object.values(gateways).map((name) => ({ name })),
      ...(host && { hostnames: [host] }),
      rules: [
        {
          matches: [{ path: { type: "PathPrefix", value: path } }],
          ...(version > 0 && { filters: [sayVersion(version)] }),
          backendRefs: [{ name: BACKEND, port: 80 }],
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

function inNamespace(
  namespace: string,
  api: string,
  plural: string,
  kind: string,
  name: string,
  object: object,
): ClusterObject {
  const apiVersion = api.replace(/^\/apis?\//, "");
  return {
    collection: `${api}/namespaces/${namespace}/${plural}`,
    name,
    object: { apiVersion, kind, metadata: { name }, ...object },
  };
}
