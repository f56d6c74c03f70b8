import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { connect } from "node:http2";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type GrpcServer, startGrpcServer } from "./grpc-server.ts";

/** Spoken to as gRPC has it on the wire, and as it has not. */

const PATH = "/a.Service/Say";
let folder: string;
let socket: string;
let server: GrpcServer;
const failures: unknown[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-grpc-"));
  socket = join(folder, "new", "grpc.sock");
  failures.length = 0;
  server = await start();
});

afterEach(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

function start() {
  return startGrpcServer(
    socket,
    PATH,
    async (message) => {
      if (message.toString() === "fail") {
        throw new Error("as asked");
      }
      return Buffer.from(`${message} yourself`);
    },
    (error) => failures.push(error),
  );
}

const frame = (text: string, length = text.length, isCompressed = 0) =>
  Buffer.concat([Buffer.from([isCompressed, 0, 0, 0, length]), Buffer.from(text)]);

/** The status, and the message where there is one. */
function call(path: string, bytes: Buffer): Promise<[string, string]> {
  return new Promise((resolve, reject) => {
    const session = connect("http://localhost", {
      createConnection: () => createConnection(socket),
    });
    session.on("error", reject);
    const stream = session.request({ ":method": "POST", ":path": path, te: "trailers" });
    const chunks: Buffer[] = [];
    let status = "";
    const read = (headers: NodeJS.Dict<string | string[]>) => {
      status = String(headers["grpc-status"] ?? status);
    };
    stream.on("response", read);
    stream.on("trailers", read);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", reject);
    stream.on("close", () => {
      session.close();
      resolve([status, Buffer.concat(chunks).subarray(5).toString()]);
    });
    stream.end(bytes);
  });
}

test("a message > is answered", async () => {
  expect(await call(PATH, frame("look after"))).toEqual(["0", "look after yourself"]);
});

test.each([
  ["another method", "/a.Service/Other", frame("a"), "12"],
  ["an answer that fails", PATH, frame("fail"), "13"],
  ["a compressed message", PATH, frame("a", 1, 1), "13"],
  ["a message that is shorter than it says", PATH, frame("a", 2), "13"],
  ["no message", PATH, Buffer.alloc(0), "13"],
])("%s > is refused, and the next message answered", async (_, path, bytes, status) => {
  expect(await call(path, bytes)).toEqual([status, ""]);
  expect(failures).toHaveLength(status === "13" ? 1 : 0);
  expect(await call(PATH, frame("a"))).toEqual(["0", "a yourself"]);
});

test("a message without end > is not read to its end, and the next message answered", async () => {
  expect(await call(PATH, Buffer.alloc(70_000))).toEqual(["", ""]);
  expect(await call(PATH, frame("a"))).toEqual(["0", "a yourself"]);
});

test("the socket > is for its user alone, and taken over from a process that was killed", async () => {
  expect((await stat(socket)).mode & 0o777).toBe(0o600);
  await server.stop();
  await writeFile(socket, "");
  server = await start();
  expect(await call(PATH, frame("a"))).toEqual(["0", "a yourself"]);
});
