/** Routes of the benchmark's own, through the same gateway and policies as everyone's. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";

const namespace = "portico";

/** Adds `path` -> 127.0.0.1:`port` to the running gateway; a token is needed, as for any route. */
export async function addRoute(folder: string, name: string, path: string, port: number) {
  const objects = [
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
            backendRefs: [{ name, port: 80 }],
          },
        ],
      },
    },
  ];
  const file = join(folder, "gateway", "objects", `${name}.yaml`);
  await writeFile(file, objects.map((object) => stringify(object)).join("---\n"));
}
