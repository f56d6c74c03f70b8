import { type ServiceName, serviceNames } from "../configuration/services.ts";

/** What docker-compose.yml gives each service for an address: the gateway takes no names for endpoints. */
export const SUBNET = "172.31.250";
export const addressOf = (name: ServiceName): string =>
  `${SUBNET}.${11 + serviceNames.indexOf(name)}`;

/** The gateway's objects that belong to the containers rather than to the platform, as JSON, which YAML can read. */
export function gatewayObjects(origin: string): string {
  const metadata = { name: "portico", namespace: "portico" };
  const group = "gateway.networking.k8s.io";
  const objects: object[] = [
    {
      apiVersion: `${group}/v1`,
      kind: "Gateway",
      metadata: { ...metadata, annotations: { "gateway.portico.dev/access": "deny" } },
      spec: {
        gatewayClassName: "portico",
        listeners: [{ name: "http", protocol: "HTTP", port: 8080 }],
      },
    },
    {
      apiVersion: "gateway.portico.dev/v1alpha1",
      kind: "JWTPolicy",
      metadata: { ...metadata, name: "access-tokens" },
      spec: {
        targetRefs: [{ group, kind: "Gateway", name: metadata.name }],
        issuer: `${origin}/auth`,
        audiences: [origin],
        jwks: { backendRef: { name: "auth", port: 80 }, path: "/auth/jwks" },
        extractFrom: { cookies: ["__Host-portico-access"] },
      },
    },
    ...serviceNames.flatMap((name) => [service(name), endpoints(name)]),
  ];
  return objects.map((object) => `${JSON.stringify(object)}\n`).join("---\n");
}

const service = (name: ServiceName) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "portico" },
  spec: { ports: [{ name: "http", port: 80 }] },
});

const endpoints = (name: ServiceName) => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name, namespace: "portico", labels: { "kubernetes.io/service-name": name } },
  addressType: "IPv4",
  ports: [{ name: "http", port: 8080 }],
  endpoints: [{ addresses: [addressOf(name)], conditions: { ready: true } }],
});
