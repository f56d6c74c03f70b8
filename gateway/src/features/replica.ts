import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { envoy, findBinary, findFreePorts } from "@portico/dev-env";
import { isLive, startEnvoy, until } from "./real-envoy.ts";

/** A replica of the gateway as it is deployed: an Envoy, and a controller that is a process of its own. */
export interface Replica {
  readonly port: number;
  readonly adminPort: number;
  envoyLog(): string;
  controllerLog(): string;
  readMetrics(): Promise<string>;
  stopController(): Promise<void>;
  startController(): Promise<void>;
  /** It is there, and does nothing. */
  freezeController(): void;
  thawController(): void;
  stop(): Promise<void>;
}

/** A process that compiles all of its code, on a machine that is busy. */
const START_MS = 40_000;
const MAIN = join(import.meta.dirname, "../main.ts");

/** @param objects in YAML, for the port of the Gateway's listener */
export async function startReplica(
  objects: (port: number) => string,
  redisUrl: string,
): Promise<Replica> {
  const folder = await mkdtemp(join(tmpdir(), "portico-replica-"));
  const envoyDir = join(folder, "envoy");
  const [port = 0, adminPort = 0, opsPort = 0] = await findFreePorts(3);
  await mkdir(join(folder, "objects"));
  await writeFile(join(folder, "objects", "all.yaml"), objects(port));
  const env = {
    GATEWAY_SOURCE: "folders",
    GATEWAY_FOLDERS: join(folder, "objects"),
    GATEWAY_REDIS_URL: redisUrl,
    ENVOY_DIR: envoyDir,
    ENVOY_ADMIN_PORT: String(adminPort),
    OPS_PORT: String(opsPort),
  };
  let log = "";
  let controller: ChildProcess | undefined;

  async function startController() {
    controller = spawn(process.execPath, [MAIN], { env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [controller.stdout, controller.stderr]) {
      stream?.on("data", (chunk) => {
        log += chunk;
      });
    }
    await until(async () => {
      const answer = await fetch(`http://127.0.0.1:${opsPort}/readyz`).catch(() => undefined);
      return answer?.status === 200;
    }, START_MS);
  }

  async function stopController() {
    if (controller?.exitCode === null && controller.signalCode === null) {
      controller.kill("SIGKILL");
      await once(controller, "exit");
    }
  }

  await startController();
  const running = startEnvoy(await findBinary(envoy), envoyDir);
  await until(() => isLive(adminPort));
  return {
    ...{ port, adminPort, startController, stopController },
    envoyLog: running.log,
    controllerLog: () => log,
    readMetrics: async () => (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text(),
    freezeController: () => controller?.kill("SIGSTOP"),
    thawController: () => controller?.kill("SIGCONT"),
    async stop() {
      await stopController();
      await running.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
