/**
 * `make fuzz`: 500 objects, made of the schemas of every kind that the gateway reads, into the cluster that kubectl points at,
 * where Portico is installed. All the while a good route is asked 20 times a second, and after every fifty another one is
 * changed: it has to be served with its change. At the end every object that the API server took and the
 * controller did not has to say why, in its own status.
 *
 * SEED: of an earlier run. COUNT: objects that the API server takes (500). VERBOSE=1: a line for each. GATEWAY_URL: where to
 * reach the Gateway with the good route, if this machine cannot reach addresses of Services.
 */
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { type ApiClient, ApiError } from "../gateway/src/kubernetes/api-client.ts";
import { connectToCluster } from "./connect-to-cluster.ts";
import { NAMESPACE } from "./deploy.ts";
import type { Schema } from "./fuzz/arbitrary.ts";
import { askOnce } from "./fuzz/ask-once.ts";
import { createControllerView } from "./fuzz/controller-view.ts";
import {
  CANARY_HOST,
  GOOD_HOST,
  type Ground,
  isMissing,
  ODD,
  prepareGround,
} from "./fuzz/ground.ts";
import { collectionOf, type FuzzedKind, KINDS, objectsOf } from "./fuzz/kinds.ts";
import { printTable, type Tried } from "./fuzz/report.ts";
import { judge } from "./fuzz/verdict.ts";
import { words } from "./fuzz/words.ts";
import { startLoad, tell } from "./steady-load.ts";

const COUNT = Number(process.env.COUNT ?? 500);
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const BATCH = 50;

async function specOf(client: ApiClient, { apiVersion, plural }: FuzzedKind) {
  const [group = "", version] = apiVersion.split("/");
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.${group}`;
  const definition = (await client.call("GET", path).catch((error) => {
    if (isMissing(error)) return undefined;
    throw error;
  })) as
    | { spec: { versions: { name: string; schema: { openAPIV3Schema: Schema } }[] } }
    | undefined;
  const known = definition?.spec.versions.find(({ name }) => name === version);
  return known?.schema.openAPIV3Schema.properties?.spec;
}

/** Without an end: the same for the same seed. */
async function* oddObjects(client: ApiClient, kind: FuzzedKind, salt: number) {
  const arbitrary = objectsOf(kind, await specOf(client, kind), words);
  for (let round = 0; ; round++) {
    const seed = SEED + salt * 1000 + round * 100_000;
    yield* fc.sample(arbitrary, { numRuns: 50, seed });
  }
}

/** @returns what the API server said against it; undefined: it took it */
async function create(client: ApiClient, kind: FuzzedKind, object: object) {
  try {
    await client.call("POST", collectionOf(kind, ODD), object);
    return undefined;
  } catch (error) {
    if (error instanceof ApiError && error.status < 500) return error.message;
    throw error;
  }
}

async function fuzz(client: ApiClient, ground: Ground, gateway: URL): Promise<Tried[]> {
  const sources = KINDS.map((kind, index) => ({ kind, objects: oddObjects(client, kind, index) }));
  const tried: Tried[] = [];
  let taken = 0;
  for (let turn = 0; taken < COUNT; turn++) {
    const source = sources[turn % sources.length];
    if (source === undefined || turn > COUNT * 40) throw new Error("the API server takes too few");
    const { kind } = source;
    const name = `fuzz-${turn}`;
    const made = (await source.objects.next()).value;
    if (!made) continue;
    const metadata = { name, annotations: made.annotations, labels: labelsOf(kind) };
    const { body } = made as { body: object };
    const object = { ...body, apiVersion: kind.apiVersion, kind: kind.kind, metadata };
    const refusedByServer = await create(client, kind, object);
    tried.push({ kind, name, object, refusedByServer });
    if (refusedByServer !== undefined) continue;
    taken++;
    if (taken % BATCH === 0) await changeAndSee(ground, gateway, `${taken}`);
  }
  return tried;
}

const labelsOf = ({ kind }: FuzzedKind) => ({
  "portico.dev/fuzz": "odd",
  ...(kind === "EndpointSlice" && { "kubernetes.io/service-name": "echo" }),
});

/** That nothing is stuck: with all that is there now, a change to a good route still arrives. */
async function changeAndSee(ground: Ground, gateway: URL, version: string): Promise<void> {
  const startedAt = performance.now();
  await ground.changeCanary(version);
  while (performance.now() - startedAt < 20_000) {
    const { headers } = await askOnce(gateway, CANARY_HOST);
    if (headers["x-version"] === version) {
      console.log(
        `  ${version} taken; a change was served after ${Math.round(performance.now() - startedAt)} ms`,
      );
      return;
    }
    await sleep(20);
  }
  throw new Error(`with ${version} objects a change to a good route was not served within 20 s`);
}

async function judgeAll(client: ApiClient, tried: readonly Tried[]): Promise<Tried[]> {
  const view = await createControllerView(client);
  const taken = tried.filter(({ refusedByServer }) => refusedByServer === undefined);
  return Promise.all(
    taken.map(async (one): Promise<Tried> => {
      const said = view.said(one.kind, one.name);
      const outcome = judge(one.kind, said, view.refused(one.kind, one.name), view.isOurs(one));
      return { ...one, outcome, said };
    }),
  );
}

const isWrong = ({ outcome }: Tried) => outcome === "silent" || outcome === "ignored";

async function main(): Promise<void> {
  console.log(`SEED=${SEED} COUNT=${COUNT}`);
  const client = await connectToCluster();
  const auth = (await client.call(
    "GET",
    `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/auth`,
  )) as {
    spec: { template: { spec: { containers: { image: string }[] } } };
  };
  const image = auth.spec.template.spec.containers[0]?.image ?? "";
  const ground = await prepareGround(client, image);
  const gateway = new URL(process.env.GATEWAY_URL ?? `http://${ground.address}`);
  try {
    while ((await askOnce(gateway, GOOD_HOST)).status !== 200) await sleep(200);
    const load = startLoad(gateway, 20, () => ({
      ...{ path: "/good", headers: { host: GOOD_HOST }, expected: [200] },
    }));
    const tried = await fuzz(client, ground, gateway).catch((error: Error) => error);
    load.begin("all of them there");
    if (tried instanceof Error) {
      tell(await load.end());
      throw tried;
    }
    // Statuses are written a few a second, so that an API server has time for others.
    let judged = await judgeAll(client, tried);
    for (
      const end = performance.now() + 90_000;
      judged.some(isWrong) && performance.now() < end;
    ) {
      await sleep(2000);
      judged = await judgeAll(client, tried);
    }
    const isServed = tell(await load.end());
    printTable(tried, judged);
    if (!isServed) throw new Error("the good route was disturbed");
    const wrong = judged.filter(isWrong);
    if (wrong.length > 0) throw new Error(`${wrong.length} objects do not say what became of them`);
  } finally {
    if (process.env.KEEP !== "1") {
      await ground.leave();
      await client.call(
        "DELETE",
        `/apis/gateway.networking.k8s.io/v1/gatewayclasses?labelSelector=portico.dev/fuzz`,
      );
    }
    client.close();
  }
}

main().catch((error) => {
  console.error(`Not as it should be: ${error.message}`);
  process.exitCode = 1;
});
