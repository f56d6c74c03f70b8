import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, createServer, get, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it, vi } from "vitest";
import { stop } from "./stop.ts";
import { createTestLogger, type LogLine } from "./testing/test-app.ts";

const file = fileURLToPath(new URL("testing/example-service.ts", import.meta.url));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

async function startService({ drainMs = 0, graceMs = 5_000 } = {}) {
  const child = spawn(process.execPath, [file, String(drainMs), String(graceMs)]);
  children.push(child);
  let text = "";
  child.stdout.on("data", (bytes) => {
    text += bytes;
  });
  const lines = () =>
    text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as LogLine);
  const has = (event: string) => lines().some((line) => line.event === event);
  const until = (event: string) =>
    vi.waitFor(() => expect(has(event)).toBe(true), { timeout: 10_000, interval: 10 });
  await until("service.listening");
  const { port, opsPort } = lines()[0] as unknown as { port: number; opsPort: number };
  const exited = once(child, "exit") as Promise<[number | null, string | null]>;
  return {
    child,
    lines,
    until,
    exited,
    port,
    opsUrl: `http://127.0.0.1:${opsPort}`,
    url: `http://127.0.0.1:${port}`,
  };
}

/** GET over a connection that is kept, as a gateway does. */
const keepAlive = (url: string, agent: Agent) =>
  new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { agent }, (response) => {
      response.resume().on("end", () => resolve(response));
    }).on("error", reject);
  });

describe("on SIGTERM", () => {
  it("readiness fails first, while requests are still taken", async () => {
    const service = await startService({ drainMs: 600 });
    expect((await fetch(`${service.opsUrl}/readyz`)).status).toBe(200);
    service.child.kill("SIGTERM");
    await service.until("service.stopping");
    expect((await fetch(`${service.opsUrl}/readyz`)).status).toBe(503);
    expect((await fetch(`${service.url}/slow?ms=1`)).status).toBe(200);
    expect(await service.exited).toEqual([0, null]);
  });

  it("whoever asks is answered until nobody has asked for a second", async () => {
    const service = await startService({ drainMs: 30_000 });
    service.child.kill("SIGTERM");
    for (let asked = 0; asked < 5; asked += 1) {
      await sleep(400);
      expect((await fetch(`${service.url}/slow?ms=1`)).status).toBe(200);
      // A probe is nobody.
      expect((await fetch(`${service.opsUrl}/readyz`)).status).toBe(503);
    }
    const startedAt = performance.now();
    const probing = setInterval(() => fetch(`${service.opsUrl}/readyz`).catch(() => 0), 200);
    expect(await service.exited).toEqual([0, null]);
    clearInterval(probing);
    expect(performance.now() - startedAt).toBeGreaterThan(900);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  it("a request in flight finishes, then stores are closed in order, then the process ends well", async () => {
    const service = await startService();
    const inFlight = fetch(`${service.url}/slow?ms=700`);
    await service.until("slow.began");
    service.child.kill("SIGTERM");
    expect(await (await inFlight).json()).toEqual({ done: true });
    expect(await service.exited).toEqual([0, null]);
    expect(service.lines().map(({ event }) => event)).toEqual([
      "service.listening",
      "slow.began",
      "service.stopping",
      "request.handled",
      "first.closed",
      "close.failed",
      "last.closed",
      "service.stopped",
    ]);
  });

  it("no new connection is taken, and idle ones are closed", async () => {
    const service = await startService();
    const idle = connect(service.port, "127.0.0.1");
    idle.write("GET /slow?ms=0 HTTP/1.1\r\nHost: a\r\n\r\n");
    await once(idle, "data");
    const closed = once(idle, "close");
    const inFlight = fetch(`${service.url}/slow?ms=600`);
    await vi.waitFor(() =>
      expect(service.lines().filter(({ event }) => event === "slow.began")).toHaveLength(2),
    );
    service.child.kill("SIGTERM");
    await closed;
    const late = await fetch(`${service.url}/slow?ms=1`).catch((error) => error.cause.code);
    // Reset, when the system had accepted it before the socket was closed.
    expect(["ECONNREFUSED", "ECONNRESET"]).toContain(late);
    expect((await inFlight).status).toBe(200);
    await service.exited;
  });

  it("a client that never pauses is let go after its next answer, with no request lost", async () => {
    const service = await startService({ drainMs: 300 });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const answers: string[] = [];
    const busy = (async () => {
      for (;;) {
        const response = await keepAlive(`${service.url}/slow?ms=60`, agent);
        answers.push(`${response.statusCode} ${response.headers.connection}`);
      }
    })().catch((error: NodeJS.ErrnoException) => error.code);
    await sleep(300);
    service.child.kill("SIGTERM");
    // Reset, when the system had accepted it before the socket was closed.
    expect(["ECONNREFUSED", "ECONNRESET"]).toContain(await busy);
    expect(await service.exited).toEqual([0, null]);
    expect(answers.length).toBeGreaterThan(2);
    expect(answers.filter((answer) => !answer.startsWith("200"))).toEqual([]);
    agent.destroy();
  });

  it("what hangs is cut when the grace is over", async () => {
    const service = await startService({ graceMs: 400 });
    const hanging = fetch(`${service.url}/slow?ms=60000`).catch(() => "cut");
    await service.until("slow.began");
    const startedAt = performance.now();
    service.child.kill("SIGTERM");
    expect(await hanging).toBe("cut");
    expect(await service.exited).toEqual([0, null]);
    expect(performance.now() - startedAt).toBeLessThan(1_500);
  });

  it("a second signal ends it at once", async () => {
    const service = await startService({ graceMs: 60_000 });
    fetch(`${service.url}/slow?ms=60000`).catch(() => undefined);
    await service.until("slow.began");
    service.child.kill("SIGTERM");
    await service.until("service.stopping");
    service.child.kill("SIGINT");
    const [code, signal] = await service.exited;
    expect([code, signal]).not.toEqual([0, null]);
  });
});

describe("a crash", () => {
  it("is one line of the log, and the process ends badly", async () => {
    const service = await startService();
    await fetch(`${service.url}/crash`, { method: "POST" });
    expect(await service.exited).toEqual([1, null]);
    expect(service.lines().at(-1)).toMatchObject({
      level: "error",
      event: "process.crashed",
      error: { message: "nobody catches this" },
    });
  });
});

describe("a request with two Authorization headers", () => {
  it("is refused, whichever of them a proxy read (401)", async () => {
    const { port } = await startService();
    const socket = connect(port, "127.0.0.1");
    socket.write(
      "GET /guarded HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a.b.c\r\nAuthorization: Bearer d.e.f\r\nConnection: close\r\n\r\n",
    );
    let answer = "";
    for await (const bytes of socket) answer += bytes;
    expect(answer).toMatch(/^HTTP\/1.1 401 /);
    expect(answer).toContain("not of the form");
  });
});

describe("a store that hangs while it is closed", () => {
  it("does not hold up the end, nor the others", { timeout: 10_000 }, async () => {
    const { logger, lines } = createTestLogger();
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    expect((server.address() as AddressInfo).port).toBeGreaterThan(0);
    let closed = false;
    await stop({
      servers: [server],
      drain: () => undefined,
      drainMs: 0,
      closers: [
        () => new Promise(() => undefined),
        async () => {
          closed = true;
        },
      ],
      logger,
    });
    expect(closed).toBe(true);
    expect(lines().map(({ event }) => event)).toEqual(["close.failed", "service.stopped"]);
  });
});
