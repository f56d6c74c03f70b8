import { z } from "zod";

const Port = z.coerce.number().int().min(1).max(65535);

const Environment = z.object({
  GATEWAY_SOURCE: z.literal("folders").describe("where Kubernetes objects come from"),
  GATEWAY_FOLDERS: z
    .string()
    .transform((folders) => folders.split(":").filter(Boolean))
    .pipe(z.array(z.string()).min(1))
    .describe("folders of YAML, separated by colons"),
  GATEWAY_NAMESPACE: z
    .string()
    .default("portico")
    .describe("namespace of an object that names none"),
  ENVOY_DIR: z.string().min(1).describe("where Envoy's files are written"),
  ENVOY_ADMIN_PORT: Port.describe("Envoy's admin interface, on loopback only"),
  HOST: z.string().default("127.0.0.1").describe("address of Envoy's listeners and the ops port"),
  OPS_PORT: Port.describe("/healthz /readyz /metrics /status"),
  LOG_LEVEL: z.enum(["error", "warn", "info", "debug"]).default("info"),
});

export interface Config {
  readonly folders: readonly string[];
  readonly namespace: string;
  readonly envoyDir: string;
  readonly envoyAdminPort: number;
  readonly host: string;
  readonly opsPort: number;
  readonly logLevel: "error" | "warn" | "info" | "debug";
}

/** The environment as typed configuration. Throws one error that names every mistake. */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  const parsed = Environment.safeParse(environment);
  if (!parsed.success) {
    throw new Error(`Configuration is not usable:\n${z.prettifyError(parsed.error)}`);
  }
  const variables = parsed.data;
  return Object.freeze({
    folders: variables.GATEWAY_FOLDERS,
    namespace: variables.GATEWAY_NAMESPACE,
    envoyDir: variables.ENVOY_DIR,
    envoyAdminPort: variables.ENVOY_ADMIN_PORT,
    host: variables.HOST,
    opsPort: variables.OPS_PORT,
    logLevel: variables.LOG_LEVEL,
  });
}
