import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFreePorts } from "@portico/dev-env";
import { type ControllerParts, createController } from "../controller.ts";
import { createEnvoyAdmin } from "../envoy/admin.ts";
import { createLogger } from "../logger.ts";
import { createMetrics } from "../metrics.ts";
import { type OpsServer, startOpsServer } from "../ops-server.ts";
import { createAcceptance } from "../publish/acceptance.ts";
import { createEnvoyLog } from "../publish/envoy-log.ts";
import { createHandover } from "../publish/handover.ts";
import { createPublisher } from "../publish/publisher.ts";
import { createFolderSource } from "../snapshot/folder-source.ts";
import { createStatusBoard } from "../status/status-board.ts";

/** The controller in this process and a real Envoy beside it, on a folder of YAML that a test edits. */
export interface RealGateway {
  readonly objects: string;
  readonly envoyDir: string;
  readonly ops: OpsServer;
  readonly adminPort: number;
  /** Envoy's standard output: its access log. */
  log(): string;
  put(file: string, yaml: string): Promise<void>;
  remove(file: string): Promise<void>;
  stopController(): Promise<void>;
  startController(): Promise<void>;
  stop(): Promise<void>;
}

/** What is said of clients when the controller is started. */
type Edge = Pick<ControllerParts, "trustedHops" | "limits">;

export async function startRealGateway(
  program: string,
  yaml: string,
  edge: Edge = {},
): Promise<RealGateway> {
  const folder = await mkdtemp(join(tmpdir(), "portico-real-envoy-"));
  const objects = join(folder, "objects");
  const envoyDir = join(folder, "envoy");
  const [adminPort = 0] = await findFreePorts(1);
  await mkdir(objects);
  await writeFile(join(objects, "start.yaml"), yaml);

  const start = () => startController(objects, envoyDir, adminPort, edge);
  let controller = await start();
  const envoy = startEnvoy(program, envoyDir);
  await until(() => isLive(adminPort));

  return {
    objects,
    envoyDir,
    adminPort,
    get ops() {
      return controller.ops;
    },
    log: envoy.log,
    put: (file, text) => writeFile(join(objects, file), text),
    remove: (file) => rm(join(objects, file)),
    stopController: () => controller.stop(),
    async startController() {
      controller = await start();
    },
    async stop() {
      await controller.stop();
      await envoy.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startController(objects: string, envoyDir: string, adminPort: number, edge: Edge) {
  const logger = createLogger("error");
  const status = createStatusBoard(logger);
  const metrics = createMetrics();
  const controller = createController({
    source: createFolderSource([objects]),
    handover: createHandover(
      createPublisher(envoyDir, adminPort, edge.limits),
      createAcceptance(createEnvoyAdmin(adminPort)),
      createEnvoyLog(join(envoyDir, "envoy.log"), () => undefined),
    ),
    boards: [status],
    ...{ metrics, logger, namespace: "portico", envoyHost: "127.0.0.1", ...edge },
  });
  await controller.start();
  const ops = await startOpsServer({ controller, metrics, status }, "127.0.0.1", 0);
  return {
    ops,
    async stop() {
      await controller.stop();
      await ops.stop();
    },
  };
}

/** From a folder that something was published to. */
export function startEnvoy(program: string, envoyDir: string) {
  const args = ["-c", join(envoyDir, "bootstrap.json"), "--disable-hot-restart"];
  const errorsOf = ["--log-path", join(envoyDir, "envoy.log")];
  const quiet = ["--concurrency", "2", "-l", "warning", "--file-flush-interval-msec", "100"];
  const child: ChildProcess = spawn(program, [...args, ...errorsOf, ...quiet], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  let errors = "";
  child.stdout?.on("data", (chunk) => {
    log += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    errors += chunk;
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    log: () => log + errors,
    async stop() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

export async function isLive(adminPort: number): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${adminPort}/ready`).catch(() => undefined);
  return response?.status === 200;
}

/** Polls; a test says what it waits for and fails by its own time limit. */
export async function until(claim: () => boolean | Promise<boolean>, limitMs = 10_000) {
  const deadline = performance.now() + limitMs;
  while (!(await claim())) {
    if (performance.now() > deadline) {
      throw new Error(`Still not so after ${limitMs} ms: ${claim}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function listen(server: Server, port = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

export interface Seen {
  readonly service: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: number;
}

export interface Upstream {
  readonly port: number;
  /** How many requests reached it. */
  count(): number;
  stop(): Promise<void>;
}

/** A service that answers with what it saw. Paths ending in /slow, /reset and /404 misbehave. */
export async function startUpstream(service: string, port = 0): Promise<Upstream> {
  let count = 0;
  const server = createServer(async (incoming, outgoing) => {
    count++;
    const url = incoming.url ?? "";
    if (url.endsWith("/reset")) {
      incoming.socket.destroy();
      return;
    }
    let bytes = 0;
    for await (const chunk of incoming) {
      bytes += (chunk as Buffer).length;
    }
    const { method, headers } = incoming;
    setTimeout(
      () => {
        outgoing.writeHead(url.endsWith("/404") ? 404 : 200, {
          "content-type": "application/json",
        });
        outgoing.end(JSON.stringify({ service, method, url, headers, bytes }));
      },
      url.endsWith("/slow") ? 1500 : 0,
    );
  });
  server.keepAliveTimeout = 75_000;
  const bound = await listen(server, port);
  return { port: bound, count: () => count, stop: () => close(server) };
}

/** A service that answers with something that is not HTTP. */
export async function startGarbage(): Promise<Upstream> {
  const server = createTcpServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.once("data", () => socket.end("220 smtp.example ESMTP\r\n\r\n"));
  });
  return { port: await listen(server), count: () => 0, stop: () => close(server) };
}

function close(server: Server | import("node:http").Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    if ("closeAllConnections" in server) {
      server.closeAllConnections();
    }
  });
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  json<Document = Seen>(): Document;
}

export interface Question {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** The path goes out exactly as it is written here, dots, slashes and all. */
export function ask(port: number, path: string, question: Question = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = "GET", headers, body } = question;
    const outgoing = request({ host: "127.0.0.1", port, path, method, headers }, (incoming) => {
      let text = "";
      incoming.setEncoding("utf8");
      incoming.on("data", (chunk) => {
        text += chunk;
      });
      incoming.on("end", () =>
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers as Record<string, string>,
          text,
          json: () => JSON.parse(text),
        }),
      );
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/** Bytes as they are, and all that comes back until the gateway closes. */
export function askRaw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
  });
}
