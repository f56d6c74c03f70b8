/**
 * How long until a changed HTTPRoute is served: from the moment the API server tells of it to the first
 * answer by it. The controller is a process of its own on an API server that lists and watches, Envoy is
 * the real one. The bars are Envoy Gateway's figures, taken on a machine of this kind.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { Agent, get } from "node:http";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { envoy, findBinary, findFreePorts, memoryOf } from "@portico/dev-env";
import { socketPortOf } from "../../gateway/src/infrastructure/socket-ports.ts";
import {
  type FakeApiServer,
  startFakeApiServer,
} from "../../gateway/src/kubernetes/fake-api-server.ts";
import { type Child, startChild, startServer, waitUntil } from "../child.ts";
import type { Bench, Comparison, Line, Verdict } from "../comparison.ts";
import { type Measured, summarise } from "../load/measured.ts";
import {
  addressOf,
  fill,
  GATEWAY,
  putRoute,
  type Shape,
  VERSION_HEADER,
} from "./cluster-objects.ts";

interface Case {
  readonly shape: Shape;
  readonly count: number;
  readonly bar: { readonly p50Ms: number; readonly p95Ms: number; readonly mebibytes: number };
}

const BARS = {
  1000: { p50Ms: 8, p95Ms: 21, mebibytes: 105 },
  4000: { p50Ms: 40, p95Ms: 93, mebibytes: 292 },
} as const;

const CASES: readonly Case[] = ([1000, 4000] as const).flatMap((count) =>
  (["paths", "hosts"] as const).map((shape) => ({ shape, count, bar: BARS[count] })),
);

const CHANGES = 100;
/** Asking more often would take from those who are measured what they need. */
const POLL_MS = 2;
/** So that each is a change alone, as a person makes it. */
const PAUSE_MS = 100;
const STARTED_WITHIN_MS = 60_000;

export const routeChange: Comparison = {
  name: "route-change",
  async run(bench) {
    const lines: Line[] = [];
    const verdicts: Verdict[] = [];
    for (const one of CASES) {
      const outcome = await measure(one, bench);
      lines.push({ name: `${nameOf(one)}, a change until served`, measured: outcome.measured });
      verdicts.push(...verdictsOf(one, outcome));
    }
    return { title: "A changed route, from the API server to an answer by it", lines, verdicts };
  },
};

const nameOf = ({ shape, count }: Case) =>
  `${count.toLocaleString("en")} routes, ${shape === "hosts" ? "each on a host of its own" : "one host"}`;

interface Outcome {
  readonly measured: Measured;
  readonly p95Ms: number;
  readonly mebibytes: number;
}

function verdictsOf(one: Case, { measured, p95Ms, mebibytes }: Outcome): Verdict[] {
  const below = (what: string, figure: number, bar: number, unit: string): Verdict => ({
    what: `${nameOf(one)}: ${what}`,
    figure: `${figure.toFixed(figure < 100 ? 1 : 0)} ${unit}`,
    bar: `≤ ${bar} ${unit}`,
    met: figure <= bar,
  });
  return [
    below("p50", measured.p50Ms, one.bar.p50Ms, "ms"),
    below("p95", p95Ms, one.bar.p95Ms, "ms"),
    below("controller", mebibytes, one.bar.mebibytes, "MiB"),
  ];
}

async function measure({ shape, count }: Case, { folder }: Bench): Promise<Outcome> {
  await using stack = new AsyncDisposableStack();
  const options = { folder: join(folder, `route-change-${shape}-${count}`) };
  await mkdir(options.folder, { recursive: true });
  const server = await startFakeApiServer();
  stack.defer(() => server.stop());
  const program = join(import.meta.dirname, "constant-server.ts");
  const backend = stack.use(await startServer(program, ["b2s="], options));
  fill(server, { shape, count, backendPort: backend.port });

  const controller = await startGateway(server, stack, options.folder);
  const port = socketPortOf(GATEWAY, 80, () => false);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  stack.defer(() => agent.destroy());
  const served = (index: number) => versionAt(agent, port, addressOf(shape, index));
  await waitUntil(async () => (await served(count - 1)) === 0, controller, STARTED_WITHIN_MS);
  // Every route's status is written, too.
  await sleep(3000);

  const latenciesMs: number[] = [];
  for (let version = 1; version <= CHANGES; version += 1) {
    const index = (version * 7919) % count;
    const startedAt = performance.now();
    putRoute(server, shape, index, version);
    while ((await served(index)) !== version) {
      await sleep(POLL_MS);
    }
    latenciesMs.push(performance.now() - startedAt);
    await sleep(PAUSE_MS);
  }
  const memory = await memoryOf(controller.pid);
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  return {
    measured: summarise(latenciesMs, latenciesMs.reduce((sum, ms) => sum + ms, 0) / 1000),
    p95Ms: sorted[Math.floor(sorted.length * 0.95)] ?? Number.NaN,
    mebibytes: (memory?.residentBytes ?? Number.NaN) / 2 ** 20,
  };
}

/** As in a pod of the chart: the controller writes files, and Envoy reads them. */
async function startGateway(
  server: FakeApiServer,
  stack: AsyncDisposableStack,
  folder: string,
): Promise<Child> {
  const kubeconfig = join(folder, "kubeconfig.json");
  const named = (field: string, value: object) => [{ name: "bench", [field]: value }];
  const config = {
    "current-context": "bench",
    contexts: named("context", { cluster: "bench", user: "bench" }),
    clusters: named("cluster", { server: server.url.href }),
    users: named("user", { token: "none" }),
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  const [adminPort = 0, opsPort = 0] = await findFreePorts(2);
  const envoyDir = join(folder, "envoy");
  const main = join(import.meta.dirname, "../../gateway/src/main.ts");
  const env = {
    ...{
      PATH: process.env.PATH,
      NODE_OPTIONS: "--max-semi-space-size=4",
      MALLOC_ARENA_MAX: "1",
    },
    ...{ GATEWAY_SOURCE: "kubernetes", KUBECONFIG: kubeconfig, POD_NAMESPACE: "portico" },
    ...{ GATEWAY_FLEET_SELECTOR: "app=gateway", HOST: "127.0.0.1", ENVOY_DIR: envoyDir },
    ...{ ENVOY_ADMIN_PORT: String(adminPort), OPS_PORT: String(opsPort) },
  };
  const args = ["--liftoff-only", main];
  const controller = stack.use(
    startChild(process.execPath, args, { folder, name: "controller", env }),
  );
  const isReady = async () => (await fetch(`http://127.0.0.1:${opsPort}/readyz`)).ok;
  await waitUntil(isReady, controller, STARTED_WITHIN_MS);
  const threads = String(Math.min(availableParallelism(), 4));
  const start = [
    "-c",
    join(envoyDir, "bootstrap.json"),
    "--disable-hot-restart",
    "-l",
    "warning",
    "--ignore-unknown-dynamic-fields",
  ];
  const logs = ["--log-path", join(envoyDir, "envoy.log"), "--concurrency", threads];
  stack.use(startChild(await findBinary(envoy), [...start, ...logs], { folder, name: "envoy" }));
  return controller;
}

/** The version that answers; -1 when nothing does. */
function versionAt(agent: Agent, port: number, { host, path }: { host?: string; path: string }) {
  return new Promise<number>((resolve, reject) => {
    const headers = host ? { host } : {};
    get({ host: "127.0.0.1", port, path, agent, headers }, (answer) => {
      answer.resume();
      const version = Number(answer.headers[VERSION_HEADER] ?? 0);
      answer.once("end", () => resolve(answer.statusCode === 200 ? version : -1));
    }).once("error", reject);
  });
}
