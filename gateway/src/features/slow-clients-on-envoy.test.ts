import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { envoy, findBinary, findFreePorts } from "@portico/dev-env";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { GATEWAY_CLASS, gatewayOn, route, service } from "./given.ts";
import { ask, type RealGateway, startRealGateway, until } from "./real-envoy.ts";
import { startTape, type Tape } from "./wire.ts";

/** Clients that are slow, or many: they get an end, and the others go on being served. */

const LIMITS = { maxConnections: 230, maxHeapMiB: 512, headersMs: 1000, requestMs: 2000 };
const PIECE = Buffer.alloc(64 * 1024, "x");

let gateway: RealGateway;
let tape: Tape;
let flood: Server;
let port: number;
let sentByFlood = 0;
let floodsOpen = 0;
const sockets = new Set<Socket>();

/** A service that answers without end, as fast as it is read. */
function startFlood(): Promise<Server> {
  const server = createServer((_request, response) => {
    floodsOpen++;
    response.on("close", () => floodsOpen--);
    const pour = () => {
      sentByFlood += PIECE.length;
      if (response.write(PIECE)) {
        setImmediate(pour);
      }
    };
    response.on("drain", pour);
    pour();
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

const objectsOn = (listenerPort: number) =>
  [
    GATEWAY_CLASS,
    gatewayOn(listenerPort),
    route(
      "web",
      `rules:
  - matches: [{ path: { value: /flood } }]
    timeouts: { request: 5s }
    backendRefs: [{ name: flood, port: 80 }]
  - backendRefs: [{ name: web, port: 80 }]`,
    ),
    service("web", tape.port),
    service("flood", (flood.address() as AddressInfo).port),
  ].join("\n---\n");

beforeAll(async () => {
  [tape, flood] = await Promise.all([startTape(), startFlood()]);
  [port = 0] = await findFreePorts(1);
  gateway = await startRealGateway(await findBinary(envoy), objectsOn(port), { limits: LIMITS });
  await until(async () => (await ask(port, "/x")).status === 200);
});

afterEach(() => {
  for (const socket of sockets) {
    socket.destroy();
  }
  sockets.clear();
});

afterAll(async () => {
  await gateway?.stop();
  flood.closeAllConnections();
  await Promise.all([tape.stop(), new Promise((resolve) => flood.close(resolve))]);
});

interface Client {
  readonly socket: Socket;
  text(): string;
  readonly closed: Promise<number>;
}

/** The time it took until the gateway closed is what `closed` resolves with. */
function dial(): Promise<Client> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const started = performance.now();
    let text = "";
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    const closed = new Promise<number>((ended) =>
      socket.on("close", () => ended(performance.now() - started)),
    );
    socket.on("connect", () => resolve({ socket, text: () => text, closed }));
    socket.on("close", () => resolve({ socket, text: () => text, closed }));
  });
}

/** A byte at a time, until all is said or nobody listens. */
function trickle({ socket }: Client, bytes: string, everyMs: number) {
  const rest = [...bytes];
  const timer = setInterval(() => {
    const byte = rest.shift();
    if (byte === undefined || socket.destroyed) {
      clearInterval(timer);
    } else {
      socket.write(byte);
    }
  }, everyMs);
}

const HEAD = "POST /x HTTP/1.1\r\nHost: portico.example\r\nContent-Length: 20\r\n";

test("headers a byte at a time > are 408 when their time is over, and reach no service", async () => {
  tape.take();
  const client = await dial();
  trickle(client, `${HEAD}X-Slow: ${"a".repeat(500)}`, 50);
  const tookMs = await client.closed;
  expect(client.text()).toMatch(/^HTTP\/1\.1 408 /);
  expect(client.text()).toContain("application/problem+json");
  expect(tookMs).toBeGreaterThan(LIMITS.headersMs - 50);
  expect(tape.take()).toBe("");

  const inTime = await dial();
  trickle(inTime, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n", 5);
  await until(() => inTime.text().startsWith("HTTP/1.1 200 "));
});

test("a body a byte at a time > is 408 when its time is over, and reaches no service", async () => {
  tape.take();
  const client = await dial();
  client.socket.write(`${HEAD}\r\n`);
  trickle(client, "a".repeat(19), 300);
  const tookMs = await client.closed;
  expect(client.text()).toMatch(/^HTTP\/1\.1 408 /);
  expect(tookMs).toBeGreaterThan(LIMITS.requestMs - 50);
  expect(tape.take()).toBe("");

  const inTime = await dial();
  inTime.socket.write(`${HEAD}\r\n`);
  trickle(inTime, "b".repeat(20), 20);
  await until(() => inTime.text().startsWith("HTTP/1.1 200 "));
  expect(tape.take()).toContain("b".repeat(20));
});

test("two hundred slow clients at once > all get their end, and everybody else is served meanwhile", async () => {
  const clients = await Promise.all(Array.from({ length: 200 }, dial));
  for (const client of clients) {
    client.socket.write("GET /x HTTP/1.1\r\nHost: a\r\nX-Slow: ");
  }
  for (let asked = 0; asked < 100; asked++) {
    expect((await ask(port, "/x")).status).toBe(200);
  }
  await Promise.all(clients.map(({ closed }) => closed));
  expect(clients.filter((client) => client.text().startsWith("HTTP/1.1 408 "))).toHaveLength(200);
});

const allocated = async () => {
  const answer = await fetch(`http://127.0.0.1:${gateway.adminPort}/memory`);
  return Number(((await answer.json()) as { allocated: string }).allocated);
};

test("clients that read nothing > hold a bounded piece each, and are let go at the route's timeout", async () => {
  const before = await allocated();
  sentByFlood = 0;
  const clients = await Promise.all(Array.from({ length: 8 }, dial));
  for (const client of clients) {
    client.socket.pause();
    client.socket.write("GET /flood HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  await until(() => floodsOpen === clients.length);
  let poured = 0;
  await until(async () => {
    poured = sentByFlood;
    await new Promise((resolve) => setTimeout(resolve, 250));
    return sentByFlood === poured;
  });
  // Nobody reads, so it stands still; what is on the way is in the kernel's sockets, not in Envoy.
  const grown = (await allocated()) - before;
  expect(floodsOpen).toBe(clients.length);
  expect(grown / clients.length).toBeLessThan(512 * 1024);

  const reader = await dial();
  reader.socket.write("GET /flood HTTP/1.1\r\nHost: a\r\n\r\n");
  await until(() => reader.text().length > 20_000_000);
  reader.socket.destroy();

  await until(() => floodsOpen === 0);
  expect((await ask(port, "/x")).status).toBe(200);
});

test("more connections than the limit > are refused, those before are served, and one that ends makes room", async () => {
  const asks = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
  // Others may still be open that earlier requests were kept alive on.
  const isServed = async (client: Client) => {
    const known = client.text().length;
    client.socket.write(asks);
    await until(() => client.text().length > known || client.socket.destroyed);
    return client.text().length > known;
  };
  const clients = await Promise.all(Array.from({ length: 200 }, dial));
  expect(await Promise.all(clients.map(isServed))).not.toContain(false);
  while (clients.length <= LIMITS.maxConnections) {
    const client = await dial();
    if (!(await isServed(client))) {
      break;
    }
    clients.push(client);
  }
  expect(clients.length).toBeGreaterThan(LIMITS.maxConnections - 20);
  expect(clients.length).toBeLessThanOrEqual(LIMITS.maxConnections);
  for (const client of [clients[0], clients.at(-1)] as Client[]) {
    expect(await isServed(client)).toBe(true);
  }
  const counted = await fetch(
    `http://127.0.0.1:${gateway.adminPort}/stats?filter=overflow|global_cx`,
  );
  expect(await counted.text()).toMatch(/downstream_(global_)?cx_overflow: [1-9]/);

  clients.pop()?.socket.destroy();
  await until(async () => isServed(await dial()));
});

test("a heap that is full > has requests refused (503) before they reach a service, and Envoy lives", async () => {
  const [full = 0] = await findFreePorts(1);
  const limits = { ...LIMITS, maxHeapMiB: 1 };
  const overloaded = await startRealGateway(await findBinary(envoy), objectsOn(full), { limits });
  const refused = () => ask(full, "/x").then(({ status }) => status === 503);
  await until(() => refused().catch(() => false));
  tape.take();
  expect((await ask(full, "/x")).headers["content-type"]).toBe("application/problem+json");
  expect(tape.take()).toBe("");
  const stats = await fetch(`http://127.0.0.1:${overloaded.adminPort}/stats?filter=overload`);
  expect(await stats.text()).toMatch(/stop_accepting_requests.active: 1/);
  await overloaded.stop();
  expect((await ask(port, "/x")).status).toBe(200);
});
