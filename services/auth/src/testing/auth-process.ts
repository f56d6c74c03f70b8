/** auth as a process of its own, to be killed and started again. */
import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { findFreePorts, nodeProgram, type TestStores } from "@portico/dev-env";
import { createInbox, type Inbox } from "@portico/sandboxes";
import { takeAuthDatabase } from "./auth-database.ts";
import { testEnvironment } from "./test-environment.ts";

export type AuthProcess = {
  origin: string;
  /** What it will be started with; change it before a start. */
  environment: Record<string, string>;
  inbox: Inbox;
  /** Resolves when it answers. */
  start(): Promise<ChildProcess>;
  /** Starts it to see it fail: what it wrote. */
  startInVain(): Promise<string>;
  kill(): Promise<void>;
  close(): Promise<void>;
};

// Far more than it takes, since the machine may be busy with other tests.
const startsWithinMs = 40_000;

export async function prepareAuthProcess(stores: TestStores): Promise<AuthProcess> {
  const [database, inbox] = await Promise.all([takeAuthDatabase(stores), createInbox()]);
  const [port, opsPort] = await findFreePorts(2);
  const origin = `http://127.0.0.1:${port}`;
  const environment: Record<string, string> = {
    HOST: "127.0.0.1",
    PORT: String(port),
    OPS_PORT: String(opsPort),
    ...testEnvironment(origin, database, inbox),
  };
  let running: ChildProcess | undefined;

  const spawnAuth = (stdio: StdioOptions) => {
    const { command, args, env, cwd } = nodeProgram("services/auth/src/main.ts", environment);
    running = spawn(command, args, { env, cwd, stdio });
    return running;
  };

  const isUp = () =>
    fetch(`${origin}/auth/jwks`).then(
      ({ ok }) => ok,
      () => false,
    );

  const kill = async () => {
    const child = running;
    running = undefined;
    if (!child || child.exitCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  };

  return {
    origin,
    environment,
    inbox,
    kill,

    async start() {
      const child = spawnAuth("ignore");
      const deadline = Date.now() + startsWithinMs;
      while (!(await isUp())) {
        if (Date.now() > deadline) throw new Error("auth did not start.");
        await sleep(50);
      }
      return child;
    },

    async startInVain() {
      const child = spawnAuth("pipe");
      let written = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream?.on("data", (chunk) => {
          written += chunk;
        });
      }
      await once(child, "close", { signal: AbortSignal.timeout(startsWithinMs) });
      return written;
    },

    async close() {
      await kill();
      await Promise.all([inbox.close(), database.drop()]);
    },
  };
}
