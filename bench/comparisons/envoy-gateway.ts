/**
 * A changed route, ours beside Envoy Gateway: one real API server, one Envoy, one machine, one after the other and
 * again. The cluster of `BENCH_KUBECONFIG` is filled with thousands of routes and emptied of them, so it has to be one
 * that is there for nothing else.
 */
import { execFile } from "node:child_process";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Failure } from "@portico/dev-env";
import { type ApiClient, createApiClient } from "../../gateway/src/kubernetes/api-client.ts";
import { connectionOfKubeconfig } from "../../gateway/src/kubernetes/kubeconfig.ts";
import { type Child, startServer } from "../child.ts";
import { atMost, type Bench, type Comparison, type Line, type Verdict } from "../comparison.ts";
import {
  type ManyRoutes,
  measureChanges,
  measuredOf,
  nameOf,
  type Outcome,
  type RunningGateway,
  untilServed,
} from "../gateway/changes.ts";
import { type BenchCluster, objectsOf, routeOf } from "../gateway/cluster-objects.ts";
import * as portico from "../gateway/portico-gateway.ts";
import { quantile } from "../load/measured.ts";
import { processorSecondsOf } from "../load/processor.ts";
import * as peer from "../peers/envoy-gateway/envoy-gateway.ts";
import { envoyGatewayProgram, type Program, version } from "../peers/envoy-gateway/program.ts";

const NAMESPACE = "portico-bench";
const GATEWAY_PORT = 8888;
const CHANGES = 30;
/** Whoever takes longest has nothing left to do by then. */
const PAUSE_MS_PER_ROUTE = 1;
const ROUNDS = 2;
/** Envoy Gateway writes fifty statuses a second. */
const SETTLED_WITHIN_MS = 300_000;

const CASES: readonly ManyRoutes[] = ([1000, 4000] as const).flatMap((count) =>
  (["hosts", "paths"] as const).map((shape) => ({ shape, count })),
);

export const envoyGateway: Comparison = {
  name: "envoy-gateway",
  async run(bench) {
    const kubeconfig = process.env.BENCH_KUBECONFIG;
    if (!kubeconfig) {
      throw new Failure("Envoy Gateway needs a cluster that may be filled: BENCH_KUBECONFIG.");
    }
    const program = await envoyGatewayProgram(bench.progress);
    const kubectl = (...args: string[]) =>
      promisify(execFile)("kubectl", ["--kubeconfig", kubeconfig, ...args]);
    const api = createApiClient(await connectionOfKubeconfig(kubeconfig));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => api.close());
    const section: { lines: Line[]; verdicts: Verdict[] } = { lines: [], verdicts: [] };
    for (const one of CASES) {
      await kubectl("create", "namespace", NAMESPACE);
      try {
        const uninstall = await peer.installEnvoyGateway(program, {
          kubeconfig,
          namespace: NAMESPACE,
        });
        try {
          const { lines, verdicts } = await compare(one, { bench, api, kubeconfig, program });
          section.lines.push(...lines);
          section.verdicts.push(...verdicts);
        } finally {
          await uninstall();
        }
      } finally {
        await kubectl("delete", "namespace", NAMESPACE);
        for (const name of Object.values(GATEWAYS)) {
          // Envoy Gateway would have to be there to let go of its own.
          await api.call("PATCH", classOf(name), { metadata: { finalizers: null } });
          await api.call("DELETE", classOf(name));
        }
      }
    }
    return { title: `A changed route, beside Envoy Gateway ${version}`, ...section };
  },
};

const GATEWAYS = { [portico.CONTROLLER_NAME]: "ours", [peer.CONTROLLER_NAME]: "theirs" };

const classOf = (name: string) => `/apis/gateway.networking.k8s.io/v1/gatewayclasses/${name}`;

interface Setting {
  readonly bench: Bench;
  readonly api: ApiClient;
  readonly kubeconfig: string;
  readonly program: Program;
}

async function compare(many: ManyRoutes, { bench, api, kubeconfig, program }: Setting) {
  await using stack = new AsyncDisposableStack();
  const folder = join(bench.folder, `envoy-gateway-${many.shape}-${many.count}`);
  const server = join(import.meta.dirname, "../gateway/constant-server.ts");
  // An API server takes no endpoint on loopback.
  const address = ownAddress();
  const backend = stack.use(await startServer(server, ["b2s=", address], { folder: bench.folder }));
  const cluster: BenchCluster = {
    ...{ namespace: NAMESPACE, ...many, gateways: GATEWAYS, gatewayPort: GATEWAY_PORT },
    backend: { address, port: backend.port },
  };
  await fill(api, cluster);
  const change = async (index: number, version: number) => {
    const { collection, name, object } = routeOf(cluster, index, version);
    await api.call("PATCH", `${collection}/${name}`, object);
  };
  const setting = { ...{ kubeconfig, namespace: NAMESPACE, gatewayPort: GATEWAY_PORT }, folder };
  const contenders: Contender[] = [
    { name: "ours", start: (at) => portico.startPorticoGateway({ ...at, gateway: "ours" }) },
    {
      name: `Envoy Gateway ${version}`,
      start: (at) => peer.startEnvoyGateway(program, { ...at, gateway: "theirs" }),
    },
  ];
  const rounds: (Outcome & { name: string })[] = [];
  for (let round = 0; round < ROUNDS * contenders.length; round += 1) {
    const { name, start } = contenders[round % contenders.length] as Contender;
    console.log(`  ${nameOf(many)}: ${name}`);
    await using gateway = await start({ ...setting, folder: join(folder, String(round)) });
    await untilServed(many, gateway, SETTLED_WITHIN_MS);
    await idle(gateway.controller);
    const pauseMs = many.count * PAUSE_MS_PER_ROUTE;
    const changes = { change, from: 1 + round * CHANGES, changes: CHANGES, pauseMs };
    rounds.push({ name, ...(await measureChanges(many, gateway, changes)) });
  }
  return toldOf(
    many,
    contenders.map(({ name }) => outcomeOf(name, rounds)),
  );
}

interface Contender {
  readonly name: string;
  start(at: Omit<portico.OnCluster, "gateway">): Promise<RunningGateway>;
}

function outcomeOf(name: string, rounds: readonly (Outcome & { name: string })[]) {
  const own = rounds.filter((round) => round.name === name);
  return {
    name,
    latenciesMs: own.flatMap(({ latenciesMs }) => latenciesMs),
    mebibytes: Math.max(...own.map(({ mebibytes }) => mebibytes)),
  };
}

function toldOf(many: ManyRoutes, outcomes: readonly (Outcome & { name: string })[]) {
  const against = (what: string, figureOf: (one: Outcome) => number) => {
    const [ours = Number.NaN, theirs] = outcomes.map(figureOf);
    const name = `${nameOf(many)}: ${what}, ours : Envoy Gateway's`;
    return atMost(name, ours / (theirs ?? Number.NaN), 1);
  };
  return {
    lines: outcomes.map((one) => ({
      name: `${nameOf(many)}: ${one.name}`,
      measured: measuredOf(one),
      note: `${one.mebibytes.toFixed(0)} MiB`,
    })),
    verdicts: [
      against("p50", ({ latenciesMs }) => quantile(latenciesMs, 0.5)),
      against("p95", ({ latenciesMs }) => quantile(latenciesMs, 0.95)),
      against("memory", ({ mebibytes }) => mebibytes),
    ],
  };
}

const WRITERS = 8;

async function fill(api: ApiClient, cluster: BenchCluster): Promise<void> {
  const objects = objectsOf(cluster).values();
  const write = async () => {
    for (const { collection, object } of objects) {
      await api.call("POST", collection, object);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
}

const LOOK_MS = 2000;
/** Of a processor: what is left of a controller's work is then its own housekeeping. */
const IDLE_SHARE = 0.03;

/** Until it has written every status, that is. */
async function idle({ pid }: Child): Promise<void> {
  const deadline = performance.now() + SETTLED_WITHIN_MS;
  let before = (await processorSecondsOf(pid)) ?? 0;
  for (let calm = 0; calm < 3 && performance.now() < deadline; ) {
    await sleep(LOOK_MS);
    const now = (await processorSecondsOf(pid)) ?? 0;
    calm = now - before < (IDLE_SHARE * LOOK_MS) / 1000 ? calm + 1 : 0;
    before = now;
  }
}

function ownAddress(): string {
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal);
  if (!outside) throw new Failure("This machine has no address that a cluster could reach.");
  return outside.address;
}
