/**
 * `make disruptions`: requests at a constant rate through the gateway's Service of the Portico that kubectl points at, while
 * everything is upgraded, pods are deleted, controllers killed, and all pods evicted as a drain of their node would. None
 * may fail, and the load goes on until the last step has ended.
 *
 * RATE: requests a second (200). GATEWAY_URL: where to reach the gateway, if this machine cannot reach addresses of Services.
 * LOGS: a folder for the logs of every pod that was there; what the gateways logged of a failure is printed. Following
 * them takes a processor of its own, through kubelet, API server and kubectl: a node of two cannot serve 200/s beside it.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ApiClient, ApiError } from "../gateway/src/kubernetes/api-client.ts";
import { connectToCluster } from "./connect-to-cluster.ts";
import { NAMESPACE, RELEASE } from "./deploy.ts";
import { keepLogs } from "./keep-logs.ts";
import { read, run } from "./run.ts";
import { type Ask, type SteadyLoad, startLoad, tell } from "./steady-load.ts";

const chart = join(import.meta.dirname, "..", "helm", "portico");
const kubectl = (...args: readonly string[]) =>
  read("kubectl", ["--namespace", NAMESPACE, ...args]);

interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly kind: string }[];
    readonly deletionTimestamp?: string;
  };
}

/** Of Deployments and StatefulSets: what comes back when it goes. */
async function readPods(): Promise<readonly Pod[]> {
  const selector = `app.kubernetes.io/instance=${RELEASE}`;
  const text = await kubectl("get", "pods", "--selector", selector, "--output", "json");
  const { items } = JSON.parse(text) as { items: Pod[] };
  return items.filter(
    ({ metadata }) =>
      metadata.deletionTimestamp === undefined &&
      metadata.ownerReferences?.some(({ kind }) => ["ReplicaSet", "StatefulSet"].includes(kind)),
  );
}

const componentOf = ({ metadata }: Pod) => metadata.labels["app.kubernetes.io/component"] ?? "";
/** Those have one replica, for trying out; see values.yaml. */
const SINGLE = ["mongodb", "redis", "sandboxes"];
/** Its budget lets no drain take it: what it holds would be gone. */
const KEPT = ["mongodb"];

async function settle(): Promise<void> {
  await kubectl("rollout", "status", "deployment", "--timeout", "5m");
  await sleep(5000);
}

async function upgradeEverything(): Promise<void> {
  const rolled = `podAnnotations.rolled=${Date.now()}`;
  await run("helm", [
    ...["upgrade", RELEASE, chart, "--namespace", NAMESPACE, "--reset-then-reuse-values"],
    ...["--set-string", `serviceDefaults.${rolled},gateway.${rolled}`],
    ...["--wait", "--timeout", "10m", "--skip-crds"],
  ]);
}

/** One after the other, as pods are lost; all that a node had at once is what `evictEverything` does. */
async function deleteOneOfEach(): Promise<void> {
  const byComponent = Map.groupBy(await readPods(), componentOf);
  for (const [component, [pod]] of byComponent) {
    if (pod === undefined || SINGLE.includes(component)) continue;
    await kubectl("delete", "pod", pod.metadata.name, "--wait=false");
    await settle();
  }
}

async function killControllers(): Promise<void> {
  const gateways = (await readPods()).filter((pod) => componentOf(pod) === "gateway");
  // The shell that starts it again also has its name among its arguments.
  const killNode =
    'for p in /proc/[0-9]*; do case "$(tr "\\0" " " < $p/cmdline)" in "node "*main.ts*) kill -9 $(basename $p) && echo killed;; esac; done';
  for (const { metadata } of gateways) {
    const said = await kubectl(
      "exec",
      metadata.name,
      "-c",
      "controller",
      "--",
      "sh",
      "-c",
      killNode,
    );
    if (!said.includes("killed")) throw new Error(`no controller was found in ${metadata.name}`);
  }
}

/** As `kubectl drain` does, but that the node stays open: where there is one, pods have nowhere else to go. */
async function evictEverything(): Promise<void> {
  const deadline = performance.now() + 600_000;
  const client = await connectToCluster();
  let left = await readPods();
  while (left.length > 0) {
    const refused: Pod[] = [];
    for (const pod of left) if (!(await evict(client, pod))) refused.push(pod);
    const kept = refused.filter((pod) => KEPT.includes(componentOf(pod)));
    left = refused.filter((pod) => !kept.includes(pod));
    for (const { metadata } of kept) console.log(`  ${metadata.name} stays: its budget says so.`);
    if (performance.now() > deadline) throw new Error("not everything could be evicted in time");
    if (left.length > 0) await sleep(2000);
  }
  client.close();
}

/** @returns whether its budget allowed it */
async function evict(client: ApiClient, { metadata: { name } }: Pod): Promise<boolean> {
  const path = `/api/v1/namespaces/${NAMESPACE}/pods/${name}/eviction`;
  const metadata = { name, namespace: NAMESPACE };
  try {
    await client.call("POST", path, { apiVersion: "policy/v1", kind: "Eviction", metadata });
  } catch (error) {
    // 404: it is gone by itself.
    const { status } = error as ApiError;
    if (status !== 429 && status !== 404) throw error;
    return status === 404;
  }
  return true;
}

async function findGateway(): Promise<URL> {
  if (process.env.GATEWAY_URL) return new URL(process.env.GATEWAY_URL);
  const labels = [
    "gateway.networking.k8s.io/gateway-name=portico",
    `gateway.portico.dev/gateway-namespace=${NAMESPACE}`,
  ];
  const selector = labels.join(",");
  const address = "{.items[0].spec.clusterIP}:{.items[0].spec.ports[0].port}";
  return new URL(
    `http://${await kubectl("get", "service", "--selector", selector, "--output", `jsonpath=${address}`)}`,
  );
}

/** A token of the first administrator, a new one every minute, as long as somebody asks for it. */
async function signIn(gateway: URL) {
  const secret = JSON.parse(
    await kubectl("get", "secret", `${RELEASE}-first-administrator`, "--output", "json"),
  ) as { data: Record<string, string> };
  const plain = (key: string) => Buffer.from(secret.data[key] ?? "", "base64").toString();
  const body = JSON.stringify({ email: plain("email"), password: plain("password") });
  const post = { method: "POST", headers: { "content-type": "application/json" }, body };

  async function ask() {
    const reply = await fetch(new URL("/auth/sign-in", gateway), post);
    if (!reply.ok) throw new Error(`sign-in was answered with ${reply.status}`);
    return ((await reply.json()) as { accessToken: string }).accessToken;
  }
  let token = await ask();
  const headers = { authorization: `Bearer ${token}` };
  const me = await fetch(new URL("/auth/users/me", gateway), { headers });
  const { id } = (await me.json()) as { id: string };
  const timer = setInterval(async () => {
    token = await ask().catch((error) => {
      console.log(`  the old token is used for another minute: ${error.message}`);
      return token;
    });
  }, 60_000);
  return { userId: id, token: () => token, stop: () => clearInterval(timer) };
}

type Caller = Awaited<ReturnType<typeof signIn>>;

const PUBLIC = [
  "/posts/openapi.json",
  "/auth/jwks",
  "/payments/openapi.json",
  "/cards/openapi.json",
  "/fhir/metadata",
];

/** Of ten requests one is on a new connection, two need a token, and one of these writes. */
function requestOf(n: number, { token, userId }: Caller): Ask {
  const authorization = `Bearer ${token()}`;
  if (n % 10 === 3) return { path: "/auth/users/me", headers: { authorization }, expected: [200] };
  if (n % 10 === 7) {
    const payment = {
      ...{ id: randomUUID(), userId, timestamp: new Date().toISOString() },
      ...{ description: "Disruption", currency: "EUR", amount: 1 },
    };
    return {
      ...{ path: "/payments", method: "POST", body: JSON.stringify(payment), expected: [201] },
      headers: { authorization, "content-type": "application/json" },
    };
  }
  const path = PUBLIC[n % PUBLIC.length] ?? "/auth/jwks";
  return { path, expected: [200], isFresh: n % 10 === 5 };
}

async function disrupt(load: SteadyLoad): Promise<void> {
  const steps: Record<string, () => Promise<void>> = {
    "load alone": () => sleep(10_000),
    "upgrade that rolls everything": upgradeEverything,
    "a pod of each component deleted": deleteOneOfEach,
    "controllers killed": killControllers,
    "everything evicted": evictEverything,
  };
  for (const [title, step] of Object.entries(steps)) {
    if (title !== "load alone") load.begin(title);
    console.log(`${title} …`);
    await step();
    await settle();
  }
}

async function main(): Promise<void> {
  const gateway = await findGateway();
  const caller = await signIn(gateway);
  const { LOGS, RATE = 200 } = process.env;
  const logs = LOGS ? await keepLogs(`app.kubernetes.io/instance=${RELEASE}`, LOGS) : undefined;
  const load = startLoad(gateway, Number(RATE), (n) => requestOf(n, caller));
  const broken = await disrupt(load).catch((error: Error) => error);
  const steps = await load.end();
  caller.stop();
  await logs?.stop();
  const isClean = tell(steps);
  if (!isClean) for (const line of (await logs?.failures()) ?? []) console.log(`  ${line}`);
  if (broken) throw broken;
  if (!isClean) throw new Error("requests failed");
}

main().catch((error) => {
  console.error(`Not without a disruption: ${error.message}`);
  process.exitCode = 1;
});
