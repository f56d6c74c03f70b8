import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { repositoryRoot } from "../configuration/configuration.ts";
import { type ServiceName, serviceNames } from "../configuration/services.ts";
import type { PlatformSettings } from "./platform-settings.ts";

/**
 * The gateway's Kubernetes objects that belong to this environment rather than to the platform: where it listens, whose
 * tokens it accepts, and where the services are. On a cluster the chart and Kubernetes write them.
 */
const NAMESPACE = "portico";
const GATEWAY = "portico";
const SERVICE_PORT = 80;
/** The service kit's name for it, which a process as small as this one does not load. */
const ACCESS_TOKEN_COOKIE = "__Host-portico-access";

export async function writeGatewayObjects(settings: PlatformSettings): Promise<string> {
  const folder = join(settings.folder, "gateway", "objects");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const values = await readFile(join(repositoryRoot, "helm/portico/values.yaml"), "utf8");
  const routes = annotatedRoutes(values);
  const files = {
    "gateway.yaml": [gateway(settings), jwtPolicy(settings)],
    ...Object.fromEntries(
      serviceNames.map((name) => [
        `${name}.yaml`,
        [service(name, routes[name]), endpoints(settings, name)],
      ]),
    ),
  };
  await Promise.all(
    Object.entries(files).map(([file, objects]) =>
      writeFile(join(folder, file), objects.map((object) => stringify(object)).join("---\n")),
    ),
  );
  return folder;
}

function gateway({ ports }: PlatformSettings) {
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata: {
      name: GATEWAY,
      namespace: NAMESPACE,
      // Whatever nothing opens is refused, even while no JWTPolicy can be read.
      annotations: { "gateway.portico.dev/access": "deny" },
    },
    spec: {
      gatewayClassName: "portico",
      listeners: [{ name: "http", protocol: "HTTP", port: ports.gateway }],
    },
  };
}

function jwtPolicy({ issuer, origin }: PlatformSettings) {
  return {
    apiVersion: "gateway.portico.dev/v1alpha1",
    kind: "JWTPolicy",
    metadata: { name: "access-tokens", namespace: NAMESPACE },
    spec: {
      targetRefs: [{ group: "gateway.networking.k8s.io", kind: "Gateway", name: GATEWAY }],
      issuer,
      audiences: [origin],
      jwks: { backendRef: { name: "auth", port: SERVICE_PORT }, path: "/auth/jwks" },
      extractFrom: { cookies: [ACCESS_TOKEN_COOKIE] },
    },
  };
}

/** What the chart gives a service by one line of its values is given here by the same line. */
export function annotatedRoutes(values: string): Readonly<Record<string, string | undefined>> {
  const { services } = parse(values) as { services: Record<string, { route?: string }> };
  return Object.fromEntries(Object.entries(services).map(([name, { route }]) => [name, route]));
}

export function service(name: ServiceName, route: string | undefined) {
  const annotations = route === undefined ? {} : { "gateway.portico.dev/route": route };
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: NAMESPACE, annotations },
    spec: { ports: [{ name: "http", port: SERVICE_PORT }] },
  };
}

function endpoints({ ports }: PlatformSettings, name: ServiceName) {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name, namespace: NAMESPACE, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    ports: [{ name: "http", port: ports[name] }],
    endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready: true } }],
  };
}
