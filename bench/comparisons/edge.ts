import { equal } from "node:assert/strict";
import { join } from "node:path";
import { Failure, findFreePorts } from "@portico/dev-env";
import { type Child, startServer, waitUntil } from "../child.ts";
import {
  type Bench,
  type Comparison,
  type Line,
  ratio,
  times,
  type Verdict,
} from "../comparison.ts";
import { proxyThreads, startBareEnvoy } from "../gateway/bare-envoy.ts";
import { addFullRoute, addOpenRoute, headersOf, removeRoutes } from "../gateway/full-policies.ts";
import { type Contender, measureInTurn } from "../load/in-turn.ts";
import type { Measured } from "../load/measured.ts";
import { repeatedly } from "../load/requests.ts";
import { send } from "../load/send.ts";
import { startHaproxy } from "../peers/proxies/haproxy.ts";
import { startNginx } from "../peers/proxies/nginx.ts";

type Key = "upstream" | "bare" | "open" | "full" | "nginx" | "HAProxy";
type Contenders = Map<Key, Contender>;
type Figures = ReadonlyMap<Key, Measured | undefined>;

/** A small answer, and just large enough for our gateway to compress it for whoever asks. */
const body = JSON.stringify({ items: Array(32).fill("An answer that is the same for everyone.") });
const startsWithinMs = 10_000;

/** What stands before one and the same upstream: nothing, proxies that only proxy, our gateway. */
export const edge: Comparison = {
  name: "edge",
  async run(bench) {
    await using stack = new AsyncDisposableStack();
    const contenders = await prepare(bench, stack);
    const measured = await measureInTurn([...contenders.values()], bench.effort);
    const figures = new Map([...contenders.keys()].map((key, index) => [key, measured[index]]));
    return {
      title: `In front of one upstream, ${proxyThreads} threads each`,
      lines: [...contenders].map(([key, { name }]) => describe(name, figures.get(key))),
      verdicts: [...compare(figures)],
    };
  },
};

/** What the proxy itself takes of the processors for a request: neither load nor upstream is in it. */
function describe(name: string, measured: Measured | undefined): Line {
  const taken = measured?.processorUs;
  return { name, measured, note: taken === undefined ? "" : `${Math.round(taken)} µs of CPU` };
}

function* compare(figures: Figures): Iterable<Verdict> {
  const pairs: [string, Key, Key][] = [
    ["our gateway, nothing asked : bare Envoy", "open", "bare"],
    ["nginx : bare Envoy", "nginx", "bare"],
    ["HAProxy : bare Envoy", "HAProxy", "bare"],
    ["the full policy set : nginx", "full", "nginx"],
    ["the full policy set : bare Envoy", "full", "bare"],
  ];
  for (const [what, one, other] of pairs) {
    const [first, second] = [figures.get(one), figures.get(other)];
    if (first && second) yield { what, figure: times(ratio(first, second)) };
  }
  const [full, bare] = [figures.get("full")?.processorUs, figures.get("bare")?.processorUs];
  if (!full || !bare) return;
  yield { what: "its CPU for a request : bare Envoy's", figure: times(full / bare) };
}

async function prepare(bench: Bench, stack: AsyncDisposableStack): Promise<Contenders> {
  const program = join(import.meta.dirname, "../gateway/quick-upstream.ts");
  const args = [Buffer.from(body).toString("base64"), String(proxyThreads)];
  const upstream = stack.use(await startServer(program, args, bench));
  const [port = 0] = await findFreePorts(1);
  const bare = stack.use(await startBareEnvoy(bench.folder, port, upstream.port));
  stack.defer(() => removeRoutes(bench));
  const local = (at: number) => `http://127.0.0.1:${at}/`;
  const envoy = bench.platform.processes().find(({ name }) => name === "envoy");
  // Its log is the platform's; of the platform's Envoy only the process is looked at.
  const own = { ...upstream, pid: envoy?.pid ?? 0 };

  const contenders: Contenders = new Map();
  const add = async (key: Key, name: string, url: string, child: Child) => {
    await requireSame(bench, url, child);
    const request = () => ({ url, headers: headersOf(bench) });
    contenders.set(key, repeatedly(name, request, { pid: child.pid }));
  };
  await add("upstream", "the upstream alone", local(upstream.port), upstream);
  await add("bare", "bare Envoy", local(port), bare);
  await add("open", "our gateway, nothing asked", await addOpenRoute(bench, upstream), own);
  await add("full", "our gateway, the full policy set", await addFullRoute(bench, upstream), own);
  for (const [key, start] of [
    ["nginx", startNginx],
    ["HAProxy", startHaproxy],
  ] as const) {
    try {
      const peer = stack.use(await start(bench, upstream.port));
      await add(key, peer.name, peer.url, peer);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      console.log(`  left out: ${error.message}`);
    }
  }
  return contenders;
}

/** Everyone answers the same bytes. */
async function requireSame(bench: Bench, url: string, child: Child): Promise<void> {
  const request = { url, headers: headersOf(bench) };
  await waitUntil(async () => (await send(request)).status === 200, child, startsWithinMs);
  equal((await send(request)).body, body, `${url} answers something else`);
}
