import { once } from "node:events";
import { readFile, stat } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { findFreePorts } from "@portico/dev-env";
import { afterAll, beforeAll, expect, test } from "vitest";
import { policy, route, rule, service } from "./given.ts";
import {
  ask,
  type Question,
  type RealGateway,
  startUpstream,
  type Upstream,
  until,
} from "./real-envoy.ts";
import { type SmallPlatform, startSmallPlatform } from "./small-platform.ts";

/** Routes, policies, endpoints and the controller itself come and go, and no request is lost. */

let platform: SmallPlatform;
let gateway: RealGateway;
let cards: Upstream;
let token: string;
let port: number;
let closedPort: number;

beforeAll(async () => {
  platform = await startSmallPlatform();
  ({ gateway, cards, token, port, closedPort } = platform);
});

afterAll(() => platform?.stop());

const bearer = (token?: string) => platform.bearer(token);

/** Asks one after another until told to stop; what was not 200 is a failure. */
function keepAsking(path: string, question: Question = bearer()) {
  let isStopped = false;
  let asked = 0;
  const failures: string[] = [];
  const services = new Set<string>();
  const worker = async () => {
    while (!isStopped) {
      asked++;
      const answer = await ask(port, path, question).catch((error: Error) => error);
      if (answer instanceof Error || answer.status !== 200) {
        failures.push(answer instanceof Error ? answer.message : `${answer.status} ${answer.text}`);
      } else {
        services.add(answer.json().service);
      }
    }
  };
  const workers = [worker(), worker()];
  return {
    asked: () => asked,
    services,
    async stop() {
      isStopped = true;
      await Promise.all(workers);
      return failures;
    },
  };
}

test("a route that is added, moved and taken away by editing YAML > costs no request", async () => {
  const load = keepAsking("/cards");
  const hot = (backend: string) => route("hot", `rules:${rule("/hot", backend)}`);
  await gateway.put("hot.yaml", hot("posts"));
  await until(async () => (await ask(port, "/hot", bearer())).status === 200);
  await gateway.put("hot.yaml", hot("cards"));
  await until(async () => (await ask(port, "/hot", bearer())).json().service === "cards");
  await gateway.remove("hot.yaml");
  await until(async () => (await ask(port, "/hot", bearer())).status === 404);
  expect(await load.stop()).toEqual([]);
  expect(load.asked()).toBeGreaterThan(10);
});

test("a rule that is opened and closed again > follows its policy", async () => {
  const open = policy("open", "targetRefs: [{ kind: HTTPRoute, name: cards }]\nrequirement: None");
  await gateway.put("open.yaml", open);
  await until(async () => (await ask(port, "/cards")).status === 200);
  await gateway.put("open.yaml", open.replace("None", "Required"));
  await until(async () => (await ask(port, "/cards")).status === 401);
  await gateway.remove("open.yaml");
});

test("a Gateway's policy that is given, taken away and given again > never lets anybody in without a token", async () => {
  const statuses = new Set<number>();
  let isDone = false;
  const stranger = (async () => {
    while (!isDone) {
      statuses.add((await ask(closedPort, "/posts")).status);
    }
  })();
  for (let round = 0; round < 3; round++) {
    await gateway.put("policy.yaml", platform.tokensOn("closed", "keys"));
    await until(async () => (await ask(closedPort, "/posts", bearer())).status === 200);
    await gateway.remove("policy.yaml");
    await until(async () => (await ask(closedPort, "/posts", bearer())).status === 401);
  }
  isDone = true;
  await stranger;
  expect([...statuses]).toEqual([401]);
});

test("endpoints that change > move the traffic without a failed request", async () => {
  const other = await startUpstream("cards-2");
  await gateway.put(
    "moving.yaml",
    `${route("moving", `rules:${rule("/moving", "moving")}`)}\n---\n${service("moving", cards.port)}`,
  );
  await until(async () => (await ask(port, "/moving", bearer())).status === 200);
  const load = keepAsking("/moving");
  await gateway.put(
    "moving.yaml",
    `${route("moving", `rules:${rule("/moving", "moving")}`)}\n---\n${service("moving", other.port)}`,
  );
  await until(() => load.services.has("cards-2"));
  expect(await load.stop()).toEqual([]);
  expect((await ask(port, "/moving", bearer())).json().service).toBe("cards-2");
  await gateway.remove("moving.yaml");
  await other.stop();
});

test("a request on its way when the endpoints change > is answered by the one that has it", async () => {
  const moving = (to: Upstream) =>
    gateway.put(
      "moving.yaml",
      `${route("moving", `rules:${rule("/moving", "moving")}`)}\n---\n${service("moving", to.port)}`,
    );
  const other = await startUpstream("cards-2");
  await moving(cards);
  await until(async () => (await ask(port, "/moving", bearer())).status === 200);
  const onItsWay = ask(port, "/moving/slow", bearer());
  await moving(other);
  await until(async () => (await ask(port, "/moving", bearer())).json().service === "cards-2");
  expect((await onItsWay).json().service).toBe("cards");
  await gateway.remove("moving.yaml");
  await other.stop();
});

test("an endpoint that refuses connections > costs nothing, not even a write, while there is another", async () => {
  const [deadPort = 0] = await findFreePorts(1);
  const [, dead = ""] = service("half", deadPort).split("---");
  await gateway.put(
    "half.yaml",
    [
      route("half", `rules:${rule("/half", "half")}`),
      service("half", cards.port),
      dead.replace("{ name: half,", "{ name: half-dead,"),
    ].join("\n---\n"),
  );
  await until(async () => (await ask(port, "/half", bearer())).status === 200);
  const statuses = new Set<number>();
  for (let count = 0; count < 60; count++) {
    statuses.add((await ask(port, "/half", bearer())).status);
    statuses.add((await ask(port, "/half", { ...bearer(), method: "POST", body: "{}" })).status);
  }
  expect([...statuses]).toEqual([200]);
  await gateway.remove("half.yaml");
});

test.each([
  ["a read that may be asked again", "GET", "/rude", 4],
  ["a write", "POST", "/rude", 1],
  ["a read whose rule wants no second try", "GET", "/rude/once", 1],
])(
  "a service that hangs up without an answer > gets %s (%s %s) %d times",
  async (_what, method, path, tries) => {
    let requests = 0;
    const rude = createServer((socket) => {
      socket.once("data", () => {
        requests += 1;
        socket.destroy();
      });
    }).listen(0, "127.0.0.1");
    await once(rude, "listening");
    const never = rule("/rude/once", "rude", "\n    retry: { attempts: 0 }");
    await gateway.put(
      "rude.yaml",
      [
        route("rude", `rules:${rule("/rude", "rude")}${never}`),
        service("rude", (rude.address() as AddressInfo).port),
      ].join("\n---\n"),
    );
    await until(async () => (await ask(port, path, bearer())).status === 503);
    requests = 0;
    expect((await ask(port, path, { ...bearer(), method })).status).toBe(503);
    expect(requests).toBe(tries);
    await gateway.remove("rude.yaml");
    rude.close();
  },
);

test("a service that is killed and is back > costs a read nothing", async () => {
  const first = await startUpstream("phoenix");
  await gateway.put(
    "phoenix.yaml",
    `${route("phoenix", `rules:${rule("/phoenix", "phoenix")}`)}\n---\n${service("phoenix", first.port)}`,
  );
  await until(async () => (await ask(port, "/phoenix", bearer())).status === 200);
  const load = keepAsking("/phoenix");
  await until(() => load.asked() > 20);
  await first.stop();
  const second = await startUpstream("phoenix", first.port);
  const asked = load.asked();
  await until(() => load.asked() > asked + 20);
  expect(await load.stop()).toEqual([]);
  await gateway.remove("phoenix.yaml");
  await second.stop();
});

test("a YAML file that breaks and an object that is not valid > leave the rest served and say why", async () => {
  const load = keepAsking("/cards");
  await gateway.put("broken.yaml", "kind: [");
  await gateway.put("invalid.yaml", route("invalid", "rules: [{ filters: [{}] }]"));
  const reasons = async () => {
    const response = await fetch(`http://127.0.0.1:${gateway.ops.port}/status`);
    const { objects } = (await response.json()) as {
      objects: { object: { name: string }; conditions: { reason: string; message: string }[] }[];
    };
    return objects
      .filter(({ object }) => object.name === "invalid" || object.name.endsWith("broken.yaml"))
      .map(({ conditions }) => `${conditions[0]?.reason} ${conditions[0]?.message}`)
      .sort();
  };
  await until(async () => (await reasons()).length === 2);
  expect(await reasons()).toEqual([
    expect.stringMatching(/^Unreadable .*broken\.yaml.* at line 1/),
    expect.stringContaining("UnsupportedValue invalid.yaml#1: spec.rules[0].filters[0].type"),
  ]);
  // Positive control: the controller still acts on what is right.
  await gateway.put("fine.yaml", route("fine", `rules:${rule("/fine", "cards")}`));
  await until(async () => (await ask(port, "/fine", bearer())).status === 200);
  expect(await load.stop()).toEqual([]);
  await Promise.all(["broken.yaml", "invalid.yaml", "fine.yaml"].map(gateway.remove));
});

test("the controller stopped and started again > disturbs nothing and rewrites nothing", async () => {
  const load = keepAsking("/cards");
  await until(async () => (await ask(port, "/fine", bearer())).status === 404);
  const files = ["listeners.json", "clusters.json", `routes/portico_portico_${port}.pb`];
  const inodes = () =>
    Promise.all(files.map(async (file) => (await stat(join(gateway.envoyDir, file))).ino));
  const before = await inodes();
  await gateway.stopController();
  expect((await ask(port, "/cards", bearer())).status).toBe(200);
  await gateway.startController();
  expect(await inodes()).toEqual(before);
  expect(await load.stop()).toEqual([]);
});

test("the operations port > tells of health, readiness and counts", async () => {
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${gateway.ops.port}${path}`);
    return `${response.status} ${await response.text()}`;
  };
  expect(await get("/healthz")).toMatch(/^200 /);
  expect(await get("/readyz")).toMatch(/^200 /);
  expect(await get("/nowhere")).toMatch(/^404 /);
  const metrics = await get("/metrics");
  expect(metrics).toMatch(/gateway_rebuild_seconds_count [1-9]/);
  expect(metrics).toContain("gateway_versions_published_total");
  expect(metrics).toContain("gateway_envoy_file_writes_total");
  expect(metrics).toContain("gateway_rejected_objects");
});

test("the access log > is a JSON line per request that joins the service's, without query or token", async () => {
  const answer = await ask(port, "/cards?patient=secret-name", bearer());
  const id = answer.headers["x-request-id"] ?? "";
  const lineOf = () =>
    gateway
      .log()
      .split("\n")
      .find((line) => line.includes(id));
  await until(() => lineOf() !== undefined);
  expect(JSON.parse(lineOf() ?? "")).toMatchObject({
    event: "request.handled",
    method: "GET",
    route: "portico/cards/0",
    status: 200,
    upstream: "portico_cards_80",
    requestId: id,
    traceId: answer.json().headers.traceparent?.split("-")[1],
    durationMs: expect.any(Number),
  });
  expect(gateway.log()).not.toContain("secret-name");
  expect(gateway.log()).not.toContain(token);
  expect(gateway.log()).not.toContain(token.split(".")[2]);
});

test("every file that was written > was taken by Envoy: none was rejected", async () => {
  const bootstrap = JSON.parse(await readFile(join(gateway.envoyDir, "bootstrap.json"), "utf8"));
  const adminPort = bootstrap.admin.address.socket_address.port_value as number;
  const stats = await (await fetch(`http://127.0.0.1:${adminPort}/stats?filter=update_`)).text();
  expect(stats).toContain("listener_manager.lds.update_success");
  const rejected = stats
    .split("\n")
    .filter((line) => /update_(rejected|failure): [1-9]/.test(line));
  expect(rejected).toEqual([]);
});
