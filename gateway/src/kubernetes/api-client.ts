import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import type { Connection } from "./connection.ts";

/**
 * What the gateway needs of the Kubernetes API, over HTTP/1.1: documents in and out, and the lines of
 * a watch. The generated client would cost more memory than the whole controller (decision 18).
 */
export interface ApiClient {
  /** One request, one document. Throws an ApiError for an answer that is not 2xx. */
  call(method: string, path: string, body?: unknown): Promise<unknown>;
  /**
   * Resolves when the server has begun to answer: with the events until it ends the watch, or the
   * connection breaks or `signal` says so (both throw).
   */
  watch(path: string, signal: AbortSignal): Promise<AsyncIterable<unknown>>;
  close(): void;
}

/** An answer of the API server, in the words of its `Status`. */
export class ApiError extends Error {
  readonly status: number;
  readonly retryAfterMs: number | undefined;

  constructor(status: number, message: string, retryAfterMs?: number) {
    super(message);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

const CALL_DEADLINE_MS = 30_000;
/** A peer that is gone without a word is noticed after this and ten more seconds (libuv's probes). */
const KEEP_ALIVE_MS = 20_000;
/** More than the API server lets an object have. */
const LONGEST_LINE = 8 * 1024 * 1024;

export function createApiClient(connection: Connection): ApiClient {
  const isSecure = connection.server.protocol === "https:";
  const request = isSecure ? requestHttps : requestHttp;
  const agent = isSecure
    ? new HttpsAgent({ ...connection.tls, keepAlive: true, maxFreeSockets: 4 })
    : new HttpAgent({ keepAlive: true, maxFreeSockets: 4 });

  async function send(method: string, path: string, signal: AbortSignal, body?: unknown) {
    const token = await connection.token();
    const payload = body === undefined ? undefined : JSON.stringify(body);
    return new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = request(new URL(path, connection.server), {
        ...{ method, agent, signal },
        headers: {
          accept: "application/json",
          "user-agent": "portico-gateway",
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          // Node announces no length for DELETE: the server would take its body for the next request.
          ...(payload !== undefined && {
            "content-type": contentTypeOf(method),
            "content-length": Buffer.byteLength(payload),
          }),
        },
      });
      outgoing.on("socket", (socket) => socket.setKeepAlive(true, KEEP_ALIVE_MS));
      outgoing.on("response", resolve);
      outgoing.on("error", reject);
      outgoing.end(payload);
    });
  }

  return {
    async call(method, path, body) {
      const response = await send(method, path, AbortSignal.timeout(CALL_DEADLINE_MS), body);
      const text = await textOf(response);
      requireSuccess(response, text);
      return JSON.parse(text);
    },

    async watch(path, signal) {
      const response = await send("GET", path, signal);
      if (response.statusCode !== 200) {
        requireSuccess(response, await textOf(response));
      }
      return documentsOf(response);
    },

    close: () => agent.destroy(),
  };
}

/** A status is written as a merge patch: the other fields, and whoever writes those, stay out of it. */
function contentTypeOf(method: string): string {
  return method === "PATCH" ? "application/merge-patch+json" : "application/json";
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function* documentsOf(response: IncomingMessage): AsyncGenerator<unknown> {
  response.setEncoding("utf8");
  let rest = "";
  for await (const chunk of response) {
    const lines = (rest + (chunk as string)).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LONGEST_LINE) {
      throw new Error("A watch sent a line without end");
    }
    for (const line of lines.filter((line) => line !== "")) {
      yield JSON.parse(line);
    }
  }
}

function requireSuccess(response: IncomingMessage, text: string) {
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) {
    return;
  }
  const retryAfter = Number(response.headers["retry-after"]);
  throw new ApiError(
    status,
    `${status} ${messageOfStatus(text)}`,
    Number.isFinite(retryAfter) ? retryAfter * 1000 : undefined,
  );
}

function messageOfStatus(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === "string" ? message : text.slice(0, 200);
  } catch {
    return text.slice(0, 200);
  }
}
