/**
 * Envoy Gateway on the same API server as ours, and likewise as a process beside its Envoy: what it would start as
 * pods of its own is not started, and the Envoy that it configures is the very same program as ours has.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { envoy, Failure, findBinary, findFreePorts } from "@portico/dev-env";
import { startChild, waitUntil } from "../../child.ts";
import { proxyThreads } from "../../gateway/bare-envoy.ts";
import type { RunningGateway } from "../../gateway/changes.ts";
import type { OnCluster } from "../../gateway/portico-gateway.ts";
import type { Program } from "./program.ts";

const run = promisify(execFile);

export const CONTROLLER_NAME = "gateway.envoyproxy.io/gatewayclass-controller";

/** It reads its certificates from nowhere else. */
const CERTIFICATES = "/certs";
/** Where it serves Envoys, and says that it is ready. */
const XDS_PORT = 18_000;
const READY = "http://127.0.0.1:8081/readyz";
const STARTED_WITHIN_MS = 60_000;

/** Its definitions, a namespace, certificates: what its chart would install. @returns how to remove it all */
export async function installEnvoyGateway(
  { path, crds }: Program,
  { kubeconfig, namespace }: Pick<OnCluster, "kubeconfig" | "namespace">,
): Promise<() => Promise<void>> {
  if (existsSync(CERTIFICATES)) {
    throw new Failure(`Envoy Gateway wants ${CERTIFICATES} for itself, and it is there already.`);
  }
  const kubectl = (...args: string[]) => run("kubectl", ["--kubeconfig", kubeconfig, ...args]);
  await kubectl("apply", "--server-side", "--filename", crds);
  const env = { ...process.env, KUBECONFIG: kubeconfig, ENVOY_GATEWAY_NAMESPACE: namespace };
  await run(path, ["certgen", "--disable-topology-injector"], { env });
  await mkdir(CERTIFICATES, { mode: 0o700 });
  const { stdout } = await kubectl(
    "--namespace",
    namespace,
    "get",
    "secret",
    "envoy-gateway",
    "--output=json",
  );
  const { data } = JSON.parse(stdout) as { data: Record<string, string> };
  for (const [name, value] of Object.entries(data)) {
    await writeFile(join(CERTIFICATES, name), Buffer.from(value, "base64"), { mode: 0o600 });
  }
  return async () => {
    await rm(CERTIFICATES, { recursive: true });
    await kubectl("delete", "--wait=false", "--filename", crds);
  };
}

export async function startEnvoyGateway(
  program: Program,
  cluster: OnCluster,
): Promise<RunningGateway> {
  const { kubeconfig, namespace, gateway, gatewayPort, folder } = cluster;
  await using stack = new AsyncDisposableStack();
  await mkdir(folder, { recursive: true });
  const config = join(folder, "envoy-gateway.yaml");
  await writeFile(config, JSON.stringify(configuration));
  const env = { ...process.env, KUBECONFIG: kubeconfig, ENVOY_GATEWAY_NAMESPACE: namespace };
  const args = ["server", "--config-path", config];
  const controller = stack.use(
    startChild(program.path, args, { folder, name: "envoy-gateway", env }),
  );
  await waitUntil(async () => (await fetch(READY)).ok, controller, STARTED_WITHIN_MS);
  const [adminPort = 0] = await findFreePorts(1);
  const bootstrap = join(folder, "bootstrap.json");
  await writeFile(bootstrap, JSON.stringify(bootstrapOf(`${namespace}/${gateway}`, adminPort)));
  const options = ["-c", bootstrap, "--disable-hot-restart", "-l", "warning"];
  const threads = ["--concurrency", String(proxyThreads)];
  stack.use(
    startChild(await findBinary(envoy), [...options, ...threads], { folder, name: "envoy" }),
  );
  const owned = stack.move();
  return { controller, port: gatewayPort, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** As its chart has it, but for what takes a second replica, or a webhook that the API server can reach. */
const configuration = {
  apiVersion: "gateway.envoyproxy.io/v1alpha1",
  kind: "EnvoyGateway",
  gateway: { controllerName: CONTROLLER_NAME },
  logging: { level: { default: "info" } },
  provider: {
    type: "Kubernetes",
    kubernetes: {
      leaderElection: { disable: true },
      proxyTopologyInjector: { disabled: true },
    },
  },
};

/** As it would give it to a pod: everything by incremental xDS over one stream. */
const bootstrapOf = (cluster: string, adminPort: number) => ({
  node: { id: "bench", cluster },
  admin: { address: { socket_address: { address: "127.0.0.1", port_value: adminPort } } },
  dynamic_resources: {
    ads_config: {
      api_type: "DELTA_GRPC",
      transport_api_version: "V3",
      grpc_services: [{ envoy_grpc: { cluster_name: "xds_cluster" } }],
      set_node_on_first_message_only: true,
    },
    lds_config: { ads: {}, resource_api_version: "V3", initial_fetch_timeout: "0s" },
    cds_config: { ads: {}, resource_api_version: "V3", initial_fetch_timeout: "0s" },
  },
  static_resources: {
    clusters: [
      {
        ...{ name: "xds_cluster", type: "STATIC", connect_timeout: "10s" },
        load_assignment: {
          cluster_name: "xds_cluster",
          endpoints: [
            {
              lb_endpoints: [
                {
                  endpoint: {
                    address: { socket_address: { address: "127.0.0.1", port_value: XDS_PORT } },
                  },
                },
              ],
            },
          ],
        },
        typed_extension_protocol_options: {
          "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            explicit_http_config: { http2_protocol_options: {} },
          },
        },
        transport_socket: {
          name: "envoy.transport_sockets.tls",
          typed_config: {
            "@type":
              "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            common_tls_context: {
              tls_params: { tls_maximum_protocol_version: "TLSv1_3" },
              tls_certificates: [
                {
                  certificate_chain: { filename: join(CERTIFICATES, "tls.crt") },
                  private_key: { filename: join(CERTIFICATES, "tls.key") },
                },
              ],
              validation_context: { trusted_ca: { filename: join(CERTIFICATES, "ca.crt") } },
            },
          },
        },
      },
    ],
  },
});
