/**
 * The layers of `GET /auth/users/me`, each adding one thing to the one before, and the limit that they
 * are compared with: an Envoy without filters in front of a `node:http` that answers the same bytes.
 */
import { join } from "node:path";
import { findFreePorts } from "@portico/dev-env";
import { type Child, startServer, waitUntil } from "../child.ts";
import { atLeast, type Bench, type Comparison, type Line, ratio } from "../comparison.ts";
import { type Contender, measureInTurn } from "../load/in-turn.ts";
import type { Measured } from "../load/measured.ts";
import { type Request, repeatedly } from "../load/requests.ts";
import { bearer, send } from "../load/send.ts";
import { startBareEnvoy } from "./bare-envoy.ts";
import { addRoute } from "./bench-routes.ts";

const limitIndex = 1;
const aim = 0.35;
const servedWithinMs = 10_000;

export const gateway: Comparison = {
  name: "gateway",
  async run(bench) {
    await using stack = new AsyncDisposableStack();
    const layers = await prepare(bench, stack);
    const measured = await measureInTurn(layers, bench.effort);
    return {
      title: "GET /auth/users/me, layer by layer",
      lines: layers.map((layer, index) => describe(layer, measured, index)),
      verdicts: [
        atLeast(
          "users/me through everything : the limit",
          ratio(measured.at(-1), measured[limitIndex]),
          aim,
        ),
      ],
    };
  },
};

/** How much of the limit it reaches, and how much time a request it adds. */
function describe({ name }: Contender, measured: readonly Measured[], index: number): Line {
  const [before, own] = [measured[index - 1], measured[index]];
  if (!before || !own) return { name, measured: own };
  const addedUs = Math.round(1e6 / own.perSecond - 1e6 / before.perSecond);
  return { name, measured: own, note: `adds ${addedUs} µs` };
}

async function prepare(bench: Bench, stack: AsyncDisposableStack): Promise<Contender[]> {
  const { folder, platform } = bench;
  const { gateway } = platform.ready;
  const me = `${gateway}/auth/users/me`;
  const answer = await send({ url: me, headers: bearer(platform.ready.accessToken) });
  const body = Buffer.from(answer.body).toString("base64");
  const serve = async (program: string, args: string[]) =>
    stack.use(await startServer(join(import.meta.dirname, program), args, { folder }));

  const constant = await serve("constant-server.ts", [body]);
  const kit = await serve("kit-server.ts", [
    body,
    `${gateway}/auth`,
    gateway,
    `${gateway}/auth/jwks`,
  ]);
  const [barePort = 0] = await findFreePorts(1);
  const bare = stack.use(await startBareEnvoy(folder, barePort, constant.port));
  await addRoute(folder, "bench-constant", "/bench/constant", constant.port);
  await addRoute(folder, "bench-kit", "/bench/kit", kit.port);

  const open = (url: string) => (): Request => ({ url });
  const verified = (url: string) => (): Request => ({
    url,
    headers: bearer(platform.ready.accessToken),
  });
  const layers: [string, () => Request, Child][] = [
    ["node:http alone", open(`http://127.0.0.1:${constant.port}/`), constant],
    ["bare Envoy, node:http: the limit", open(`http://127.0.0.1:${barePort}/`), bare],
    ["+ our gateway verifies", verified(`${gateway}/bench/constant`), constant],
    ["+ the service kit verifies again", verified(`${gateway}/bench/kit`), kit],
    ["+ the account, fresh from MongoDB", verified(me), kit],
  ];
  for (const [, request, child] of layers) {
    const isServed = async () => (await send(request())).status === 200;
    await waitUntil(isServed, child, servedWithinMs);
  }
  return layers.map(([name, request]) => repeatedly(name, request));
}
