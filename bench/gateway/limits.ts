/**
 * What a RateLimitPolicy costs: one route with a limit that each Envoy keeps, and one with a limit that
 * all keep together, against the same route with none. The limits are too high to refuse anything.
 */
import { join } from "node:path";
import { type Child, startServer, waitUntil } from "../child.ts";
import { type Bench, type Comparison, type Line, line, ratio, times } from "../comparison.ts";
import { type Contender, measureInTurn } from "../load/in-turn.ts";
import type { Measured } from "../load/measured.ts";
import { repeatedly } from "../load/requests.ts";
import { bearer, send } from "../load/send.ts";
import { addPolicy, addRoute } from "./bench-routes.ts";

const servedWithinMs = 10_000;
const scopes = ["none", "Replica", "Shared"] as const;
type Scope = (typeof scopes)[number];

const names: Record<Scope, string> = {
  none: "no limit",
  Replica: "a limit by address that each Envoy keeps",
  Shared: "one that all keep together, in Redis",
};

export const limits: Comparison = {
  name: "limits",
  async run(bench) {
    await using stack = new AsyncDisposableStack();
    const server = join(import.meta.dirname, "constant-server.ts");
    const body = Buffer.from("limited").toString("base64");
    const constant = stack.use(await startServer(server, [body], { folder: bench.folder }));
    const contenders: Contender[] = [];
    for (const scope of scopes) {
      contenders.push(await prepare(bench, constant, scope));
    }
    const before = await readDecisions(bench);
    const measured = await measureInTurn(contenders, bench.effort);
    const after = await readDecisions(bench);
    return {
      title: "the same route with a rate limit",
      lines: scopes.map((scope, index): Line => line(names[scope], measured[index])),
      verdicts: [
        comparedWithNone("a limit that each Envoy keeps", measured, 1),
        comparedWithNone("a limit that all keep together", measured, 2),
        {
          what: "of those, requests that Redis did not count in time",
          figure: percent(after.unavailable - before.unavailable, after.all - before.all),
        },
      ],
    };
  },
};

function comparedWithNone(what: string, measured: readonly Measured[], index: number) {
  return { what: `${what} : no limit`, figure: times(ratio(measured[index], measured[0])) };
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(2)} %`;
}

async function prepare(bench: Bench, constant: Child & { port: number }, scope: Scope) {
  const { folder, platform } = bench;
  const name = `bench-limit-${scope.toLowerCase()}`;
  const path = `/bench/limits/${scope.toLowerCase()}`;
  await addRoute(folder, name, path, constant.port);
  if (scope !== "none") {
    const limit = { by: { type: "ClientAddress" }, requests: 1_000_000, per: "Second", scope };
    await addPolicy(folder, "RateLimitPolicy", name, { limits: [limit] });
  }
  const url = `${platform.ready.gateway}${path}`;
  const request = () => ({ url, headers: bearer(platform.ready.accessToken) });
  const isLimited = async () => {
    const { status, headers } = await send(request());
    return status === 200 && (scope === "none" || "x-ratelimit-limit" in headers);
  };
  await waitUntil(isLimited, constant, servedWithinMs);
  return repeatedly(names[scope], request);
}

/** As the controller counts them; the time that Envoy does not wait any more is beyond its knowledge. */
async function readDecisions({ platform }: Bench): Promise<{ all: number; unavailable: number }> {
  const controller = platform.processes().find(({ name }) => name === "gateway-controller");
  const answer = await send({ url: `http://127.0.0.1:${controller?.port}/metrics` });
  const lines = answer.body
    .split("\n")
    .filter((one) => one.startsWith("gateway_shared_limit_decisions_total{"));
  const sum = (these: readonly string[]) =>
    these.reduce((total, one) => total + Number(one.split("} ")[1]), 0);
  return { all: sum(lines), unavailable: sum(lines.filter((one) => one.includes("unavailable"))) };
}
