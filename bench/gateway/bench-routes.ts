/** Routes of the benchmark's own, through the same gateway and policies as everyone's. */
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";

const namespace = "portico";

/**
 * Adds `path` -> 127.0.0.1:`port` to the running gateway; a token is needed, as for any route.
 * @param filters of its only rule
 */
export async function addRoute(
  folder: string,
  name: string,
  path: string,
  port: number,
  filters: readonly object[] = [],
): Promise<void> {
  await addObjects(folder, name, [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace },
      spec: { ports: [{ name: "http", port: 80 }] },
    },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name, namespace, labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      ports: [{ name: "http", port }],
      endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready: true } }],
    },
    {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "HTTPRoute",
      metadata: { name, namespace },
      spec: {
        parentRefs: [{ name: "portico" }],
        rules: [
          {
            name: "all",
            matches: [{ path: { type: "PathPrefix", value: path } }],
            filters,
            backendRefs: [{ name, port: 80 }],
          },
        ],
      },
    },
  ]);
}

/** Adds a policy on the whole of a route of `addRoute`, or takes the place of the one of that kind. */
export async function addPolicy(
  folder: string,
  kind: "JWTPolicy" | "RateLimitPolicy" | "TrafficPolicy",
  route: string,
  spec: object,
): Promise<void> {
  const targetRefs = [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", name: route }];
  await addObjects(folder, `${route}-${kind.toLowerCase()}`, [
    {
      apiVersion: "gateway.portico.dev/v1alpha1",
      kind,
      metadata: { name: route, namespace },
      spec: { targetRefs, ...spec },
    },
  ]);
}

/** With its policies, so that the next rows are measured without them. */
export async function removeRoute(folder: string, name: string): Promise<void> {
  const objects = join(folder, "gateway", "objects");
  const files = (await readdir(objects)).filter((file) => file.startsWith(name));
  await Promise.all(files.map((file) => rm(join(objects, file))));
}

async function addObjects(folder: string, name: string, objects: readonly object[]): Promise<void> {
  const file = join(folder, "gateway", "objects", `${name}.yaml`);
  await writeFile(file, objects.map((object) => stringify(object)).join("---\n"));
}
