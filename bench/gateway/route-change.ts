/**
 * How long until a changed HTTPRoute is served, on an API server that costs nothing: the bars are Envoy
 * Gateway's figures, taken on another machine. The row `envoy-gateway` measures both on this one.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startFakeApiServer } from "../../gateway/src/kubernetes/fake-api-server.ts";
import { startServer } from "../child.ts";
import type { Bench, Comparison, Line, Verdict } from "../comparison.ts";
import { quantile } from "../load/measured.ts";
import {
  type ManyRoutes,
  measureChanges,
  measuredOf,
  nameOf,
  type Outcome,
  untilServed,
} from "./changes.ts";
import { type BenchCluster, type ClusterObject, objectsOf, routeOf } from "./cluster-objects.ts";
import { CONTROLLER_NAME, startPorticoGateway } from "./portico-gateway.ts";

interface Case extends ManyRoutes {
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
const PAUSE_MS = 100;
const SERVED_WITHIN_MS = 60_000;
const NAMESPACE = "portico";
const GATEWAY = "portico";
const GATEWAY_PORT = 80;

export const routeChange: Comparison = {
  name: "route-change",
  async run(bench) {
    const lines: Line[] = [];
    const verdicts: Verdict[] = [];
    for (const one of CASES) {
      const outcome = await measure(one, bench);
      lines.push({ name: `${nameOf(one)}, a change until served`, measured: measuredOf(outcome) });
      verdicts.push(...verdictsOf(one, outcome));
    }
    return { title: "A changed route, from the API server to an answer by it", lines, verdicts };
  },
};

function verdictsOf(one: Case, { latenciesMs, mebibytes }: Outcome): Verdict[] {
  const below = (what: string, figure: number, bar: number, unit: string): Verdict => ({
    what: `${nameOf(one)}: ${what}`,
    figure: `${figure.toFixed(figure < 100 ? 1 : 0)} ${unit}`,
    bar: `≤ ${bar} ${unit}`,
    met: figure <= bar,
  });
  return [
    below("p50", quantile(latenciesMs, 0.5), one.bar.p50Ms, "ms"),
    below("p95", quantile(latenciesMs, 0.95), one.bar.p95Ms, "ms"),
    below("controller", mebibytes, one.bar.mebibytes, "MiB"),
  ];
}

async function measure({ shape, count }: Case, bench: Bench): Promise<Outcome> {
  await using stack = new AsyncDisposableStack();
  const folder = join(bench.folder, `route-change-${shape}-${count}`);
  await mkdir(folder, { recursive: true });
  const server = await startFakeApiServer();
  stack.defer(() => server.stop());
  const program = join(import.meta.dirname, "constant-server.ts");
  const backend = stack.use(await startServer(program, ["b2s="], { folder }));
  const cluster: BenchCluster = {
    ...{ namespace: NAMESPACE, shape, count, gatewayPort: GATEWAY_PORT },
    gateways: { [CONTROLLER_NAME]: GATEWAY },
    backend: { address: "127.0.0.1", port: backend.port },
  };
  const put = ({ collection, name, object }: ClusterObject) =>
    server.put(`${collection}/${name}`, object);
  server.install("/api/v1/secrets", "/api/v1/configmaps");
  server.put(`/api/v1/namespaces/${NAMESPACE}`, { metadata: { name: NAMESPACE } });
  for (const object of objectsOf(cluster)) {
    put(object);
  }

  const kubeconfig = await writeKubeconfig(server.url, folder);
  const gateway = stack.use(
    await startPorticoGateway({
      ...{ kubeconfig, namespace: NAMESPACE, gateway: GATEWAY, gatewayPort: GATEWAY_PORT, folder },
    }),
  );
  await untilServed({ shape, count }, gateway, SERVED_WITHIN_MS);
  // Every route's status is written, too.
  await sleep(3000);

  const change = async (index: number, version: number) => put(routeOf(cluster, index, version));
  const changes = { change, from: 1, changes: CHANGES, pauseMs: PAUSE_MS };
  return await measureChanges({ shape, count }, gateway, changes);
}

async function writeKubeconfig(server: URL, folder: string): Promise<string> {
  const path = join(folder, "kubeconfig.json");
  const named = (field: string, value: object) => [{ name: "bench", [field]: value }];
  const config = {
    "current-context": "bench",
    contexts: named("context", { cluster: "bench", user: "bench" }),
    clusters: named("cluster", { server: server.href }),
    users: named("user", { token: "none" }),
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}
