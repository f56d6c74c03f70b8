import { z } from "zod";
import { EDGE_LIMITS, type EdgeLimits } from "./envoy/edge-limits.ts";
import type { Fleet } from "./infrastructure/gateway-service.ts";
import type { ConnectionSettings } from "./kubernetes/find-connection.ts";

const Port = z.coerce.number().int().min(1).max(65535);

const Count = z.coerce.number().int().min(1).max(10_000_000);

/** `app=gateway,tier=edge`, as kubectl writes label selectors. */
const Labels = z
  .string()
  .regex(/^[^=,\s]+=[^=,\s]+(,[^=,\s]+=[^=,\s]+)*$/, "is not label=value,label=value")
  .transform(
    (text): Record<string, string> =>
      Object.fromEntries(text.split(",").map((pair) => pair.split("="))),
  );

const Common = z.object({
  GATEWAY_NAMESPACE: z
    .string()
    .default("portico")
    .describe("namespace of an object that names none"),
  ENVOY_DIR: z.string().min(1).describe("where Envoy's files are written"),
  ENVOY_ADMIN_PORT: Port.describe("Envoy's admin interface, on loopback only"),
  HOST: z.string().optional().describe("address of Envoy's listeners and the ops port"),
  OPS_PORT: Port.describe("/healthz /readyz /metrics /status"),
  TRUSTED_HOPS: z.coerce
    .number()
    .int()
    .min(0)
    .max(10)
    .default(0)
    .describe("proxies of ours in front of Envoy, whose X-Forwarded-For is believed"),
  MAX_CONNECTIONS: Count.default(EDGE_LIMITS.maxConnections).describe("of clients, at once"),
  MAX_HEAP_MIB: Count.default(EDGE_LIMITS.maxHeapMiB).describe("of Envoy, before it refuses"),
  HEADERS_TIMEOUT_MS: Count.default(EDGE_LIMITS.headersMs).describe("for a client's headers"),
  REQUEST_TIMEOUT_MS: Count.default(EDGE_LIMITS.requestMs).describe("for its whole request"),
  LOG_LEVEL: z.enum(["error", "warn", "info", "debug"]).default("info"),
  GATEWAY_REDIS_URL: z
    .url({ protocol: /^rediss?$/, error: "is not a redis:// or rediss:// URL" })
    .optional()
    .describe("where rate limits are counted that all replicas keep together"),
});

const Folders = Common.extend({
  GATEWAY_SOURCE: z.literal("folders").describe("where Kubernetes objects come from"),
  GATEWAY_FOLDERS: z
    .string()
    .transform((folders) => folders.split(":").filter(Boolean))
    .pipe(z.array(z.string()).min(1))
    .describe("folders of YAML, separated by colons"),
});

const Kubernetes = Common.extend({
  GATEWAY_SOURCE: z.literal("kubernetes"),
  KUBECONFIG: z.string().min(1).optional().describe("outside of a pod"),
  KUBERNETES_SERVICE_HOST: z.string().optional(),
  KUBERNETES_SERVICE_PORT: Port.optional(),
  POD_NAMESPACE: z.string().min(1).describe("where Envoy's pods and the Gateways' Services are"),
  GATEWAY_FLEET_SELECTOR: Labels.describe("labels of Envoy's pods"),
  GATEWAY_ALIAS_DOMAIN: z
    .string()
    .optional()
    .describe("the cluster's domain: gives each Gateway a name in its own namespace"),
  GATEWAY_SERVICE_TYPE: z.enum(["ClusterIP", "NodePort", "LoadBalancer"]).default("ClusterIP"),
});

const Environment = z.discriminatedUnion("GATEWAY_SOURCE", [Folders, Kubernetes]);

export interface Config {
  readonly source:
    | { readonly kind: "folders"; readonly folders: readonly string[] }
    | {
        readonly kind: "kubernetes";
        readonly connection: ConnectionSettings;
        readonly fleet: Fleet;
      };
  readonly namespace: string;
  readonly envoyDir: string;
  readonly envoyAdminPort: number;
  readonly host: string;
  readonly opsPort: number;
  readonly trustedHops: number;
  readonly limits: EdgeLimits;
  readonly logLevel: "error" | "warn" | "info" | "debug";
  /** Without it each replica keeps a shared limit for itself. */
  readonly redisUrl?: string;
}

/** The environment as typed configuration. Throws one error that names every mistake. */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  const parsed = Environment.safeParse(environment);
  if (!parsed.success) {
    throw new Error(`Configuration is not usable:\n${z.prettifyError(parsed.error)}`);
  }
  const variables = parsed.data;
  const isInCluster = variables.GATEWAY_SOURCE === "kubernetes";
  return Object.freeze({
    source: isInCluster
      ? kubernetesOf(variables)
      : { kind: "folders" as const, folders: variables.GATEWAY_FOLDERS },
    namespace: variables.GATEWAY_NAMESPACE,
    envoyDir: variables.ENVOY_DIR,
    envoyAdminPort: variables.ENVOY_ADMIN_PORT,
    host: variables.HOST ?? (isInCluster ? "0.0.0.0" : "127.0.0.1"),
    opsPort: variables.OPS_PORT,
    trustedHops: variables.TRUSTED_HOPS,
    limits: {
      maxConnections: variables.MAX_CONNECTIONS,
      maxHeapMiB: variables.MAX_HEAP_MIB,
      headersMs: variables.HEADERS_TIMEOUT_MS,
      requestMs: variables.REQUEST_TIMEOUT_MS,
    },
    logLevel: variables.LOG_LEVEL,
    ...(variables.GATEWAY_REDIS_URL && { redisUrl: variables.GATEWAY_REDIS_URL }),
  });
}

function kubernetesOf(variables: z.infer<typeof Kubernetes>): Config["source"] {
  const { KUBECONFIG, KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT } = variables;
  const port = KUBERNETES_SERVICE_PORT ?? 443;
  return {
    kind: "kubernetes",
    connection: { kubeconfig: KUBECONFIG, ...(host && { apiServer: { host, port } }) },
    fleet: {
      namespace: variables.POD_NAMESPACE,
      selector: variables.GATEWAY_FLEET_SELECTOR,
      serviceType: variables.GATEWAY_SERVICE_TYPE,
      ...(variables.GATEWAY_ALIAS_DOMAIN && { aliasDomain: variables.GATEWAY_ALIAS_DOMAIN }),
    },
  };
}
