/** Our controller, as a process of its own on an API server, and an Envoy beside it, as in a pod of the chart. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { envoy, findBinary, findFreePorts } from "@portico/dev-env";
import { socketPortOf } from "../../gateway/src/infrastructure/socket-ports.ts";
import { startChild, waitUntil } from "../child.ts";
import { proxyThreads } from "./bare-envoy.ts";
import type { RunningGateway } from "./changes.ts";

export const CONTROLLER_NAME = "gateway.portico.dev/controller";

const STARTED_WITHIN_MS = 60_000;

export interface OnCluster {
  readonly kubeconfig: string;
  readonly namespace: string;
  readonly gateway: string;
  readonly gatewayPort: number;
  /** Its logs and files are written there. */
  readonly folder: string;
}

export async function startPorticoGateway(cluster: OnCluster): Promise<RunningGateway> {
  const { kubeconfig, namespace, gateway, gatewayPort, folder } = cluster;
  await using stack = new AsyncDisposableStack();
  const [adminPort = 0, opsPort = 0] = await findFreePorts(2);
  const envoyDir = join(folder, "envoy");
  await mkdir(folder, { recursive: true });
  const main = join(import.meta.dirname, "../../gateway/src/main.ts");
  const env = {
    // As the chart and the image set them.
    ...{ PATH: process.env.PATH, NODE_OPTIONS: "--max-semi-space-size=4", MALLOC_ARENA_MAX: "1" },
    ...{ GATEWAY_SOURCE: "kubernetes", KUBECONFIG: kubeconfig, POD_NAMESPACE: namespace },
    ...{ GATEWAY_FLEET_SELECTOR: "app=gateway", HOST: "127.0.0.1", ENVOY_DIR: envoyDir },
    ...{ ENVOY_ADMIN_PORT: String(adminPort), OPS_PORT: String(opsPort) },
  };
  const controller = stack.use(
    startChild(process.execPath, ["--liftoff-only", main], { folder, name: "controller", env }),
  );
  const isReady = async () => (await fetch(`http://127.0.0.1:${opsPort}/readyz`)).ok;
  await waitUntil(isReady, controller, STARTED_WITHIN_MS);
  const args = [
    ...["-c", join(envoyDir, "bootstrap.json"), "--disable-hot-restart", "-l", "warning"],
    ...["--ignore-unknown-dynamic-fields", "--log-path", join(envoyDir, "envoy.log")],
    ...["--concurrency", String(proxyThreads)],
  ];
  stack.use(startChild(await findBinary(envoy), args, { folder, name: "envoy" }));
  const port = socketPortOf(`${namespace}/${gateway}`, gatewayPort, () => false);
  const owned = stack.move();
  return { controller, port, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
