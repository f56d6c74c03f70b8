import { chmod, mkdir, rm } from "node:fs/promises";
import {
  createServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import { dirname } from "node:path";

/** One unary method of gRPC on a socket that only this user can open. */
export interface GrpcServer {
  stop(): Promise<void>;
}

const OK = "0";
const INTERNAL = "13";
const UNIMPLEMENTED = "12";
const HEAD: OutgoingHttpHeaders = { ":status": 200, "content-type": "application/grpc" };
/** A byte that says whether it is compressed, and the length in four. */
const PREFIX_BYTES = 5;
const MAX_BYTES = 64 * 1024;

type Reply = (message: Buffer) => Promise<Buffer>;

/**
 * @param answer for the bytes of a message those of its answer
 * @param onFailure told what was thrown instead; the client hears "internal"
 */
export async function startGrpcServer(
  socket: string,
  path: string,
  answer: Reply,
  onFailure: (error: unknown) => void,
): Promise<GrpcServer> {
  const sessions = new Set<Http2Session>();
  const server = createServer();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => session.destroy());
    session.on("close", () => sessions.delete(session));
  });
  server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    // Envoy stopped waiting: there is nobody to be told.
    stream.on("error", () => undefined);
    void (headers[":path"] === path
      ? reply(stream, answer, onFailure)
      : refuse(stream, UNIMPLEMENTED));
  });
  await mkdir(dirname(socket), { recursive: true });
  // Left behind by a process that was killed.
  await rm(socket, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socket, resolve);
  });
  await chmod(socket, 0o600);
  return {
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const session of sessions) {
          session.destroy();
        }
      }),
  };
}

async function reply(
  stream: ServerHttp2Stream,
  answer: Reply,
  onFailure: (error: unknown) => void,
) {
  try {
    const bytes = framed(await answer(messageOf(await readAll(stream))));
    if (stream.destroyed) {
      return;
    }
    stream.respond(HEAD, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": OK }));
    stream.end(bytes);
  } catch (error) {
    // A stream that was given up breaks off the reading of it, which is no failure.
    if (!stream.destroyed) {
      onFailure(error);
    }
    refuse(stream, INTERNAL);
  }
}

function refuse(stream: ServerHttp2Stream, status: string) {
  if (!stream.destroyed) {
    stream.respond({ ...HEAD, "grpc-status": status }, { endStream: true });
  }
}

async function readAll(stream: ServerHttp2Stream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += (chunk as Buffer).length;
    if (size > MAX_BYTES) {
      throw new Error(`A message is longer than ${MAX_BYTES} bytes`);
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function messageOf(frame: Buffer): Buffer {
  if (frame.length < PREFIX_BYTES || frame[0] !== 0) {
    throw new Error("Not one message that is not compressed");
  }
  if (frame.readUInt32BE(1) !== frame.length - PREFIX_BYTES) {
    throw new Error("A message is not as long as it says");
  }
  return frame.subarray(PREFIX_BYTES);
}

function framed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
