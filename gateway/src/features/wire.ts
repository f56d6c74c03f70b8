import { type AddressInfo, connect, createServer } from "node:net";

/** Bytes on both sides of the gateway, for what an HTTP library would not send or would not show. */

/** A service that keeps what it is sent, byte by byte, and answers each request with 200. */
export interface Tape {
  readonly port: number;
  /** What has arrived since the last time it was asked. */
  take(): string;
  stop(): Promise<void>;
}

export async function startTape(): Promise<Tape> {
  let tape = "";
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      tape += chunk.toString("latin1");
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    take() {
      const taken = tape;
      tape = "";
      return taken;
    },
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Sends bytes and returns the first answer, or what came until the gateway closed. */
export function send(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes, "latin1"));
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      if (isComplete(text)) {
        socket.destroy();
      }
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
  });
}

function isComplete(text: string): boolean {
  const [head = "", body] = text.split(/\r\n\r\n(.*)/s);
  const length = /content-length: (\d+)/i.exec(head)?.[1];
  return body !== undefined && length !== undefined && body.length >= Number(length);
}
