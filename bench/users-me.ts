/**
 * The layers of `GET /auth/users/me`, each adding one thing to the one before, and the limit that they
 * are compared with: an Envoy without filters in front of a `node:http` that answers the same bytes.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { envoy, findBinary, findFreePorts, type Ready } from "@portico/dev-env";
import { bareEnvoy } from "./bare-envoy.ts";
import { addRoute } from "./bench-routes.ts";
import type { Layer } from "./measure.ts";

export const limitIndex = 1;

export interface Prepared {
  layers: Layer[];
  stop(): void;
}

/** @param folder of the running platform: the benchmark's own routes are added to its gateway */
export async function prepareUsersMe(ready: Ready, folder: string): Promise<Prepared> {
  const children: ChildProcess[] = [];
  const stop = () => {
    for (const child of children) child.kill();
  };
  try {
    const layers = await prepareLayers(ready, folder, children);
    for (const { load } of layers) await waitUntilServed(load);
    return { layers, stop };
  } catch (error) {
    stop();
    throw error;
  }
}

async function prepareLayers(
  ready: Ready,
  folder: string,
  children: ChildProcess[],
): Promise<Layer[]> {
  const { gateway, accessToken: token } = ready;
  const me = `${gateway}/auth/users/me`;
  const answer = await fetch(me, { headers: { Authorization: `Bearer ${token}` } });
  const body = Buffer.from(await answer.text()).toString("base64");

  const startServer = async (program: string, args: string[]): Promise<number> => {
    const log = openSync(join(folder, `${program}.log`), "a");
    const path = join(import.meta.dirname, program);
    const child = spawn(process.execPath, [path, ...args], { stdio: ["ignore", log, log, "ipc"] });
    children.push(child);
    const [port] = await once(child, "message");
    return Number(port);
  };
  const constantPort = await startServer("constant-server.ts", [body]);
  const kitPort = await startServer("kit-server.ts", [
    body,
    `${gateway}/auth`,
    gateway,
    `${gateway}/auth/jwks`,
  ]);
  const [barePort = 0] = await findFreePorts(1);
  children.push(await startBareEnvoy(folder, barePort, constantPort));
  await addRoute(folder, "bench-constant", "/bench/constant", constantPort);
  await addRoute(folder, "bench-kit", "/bench/kit", kitPort);

  return [
    { name: "node:http alone", load: { url: `http://127.0.0.1:${constantPort}/` } },
    { name: "bare Envoy, node:http: the limit", load: { url: `http://127.0.0.1:${barePort}/` } },
    { name: "+ our gateway verifies", load: { url: `${gateway}/bench/constant`, token } },
    { name: "+ the service kit verifies again", load: { url: `${gateway}/bench/kit`, token } },
    { name: "+ the account, fresh from MongoDB", load: { url: me, token } },
  ];
}

async function startBareEnvoy(folder: string, port: number, upstream: number) {
  const file = join(folder, "bare-envoy.json");
  await writeFile(file, bareEnvoy(port, upstream));
  // As many threads as the gateway's own Envoy gets.
  const threads = String(Math.min(availableParallelism(), 4));
  const args = ["-c", file, "--disable-hot-restart", "--concurrency", threads, "-l", "error"];
  return spawn(await findBinary(envoy), args, { stdio: "ignore" });
}

async function waitUntilServed({ url, token }: Layer["load"]): Promise<void> {
  const headers = token ? { Authorization: `Bearer ${token}` } : undefined;
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const status = await fetch(url, { headers }).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return;
    await sleep(100);
  }
  throw new Error(`${url} never answered 200`);
}
