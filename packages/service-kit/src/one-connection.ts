/**
 * JSON over one connection, kept for as long as both sides like it: behind a Service with several instances all questions
 * go to the same one. `fetch` keeps several connections, and takes turns.
 */
import { Agent, get as getHttp, type IncomingMessage } from "node:http";
import { get as getHttps, Agent as SecureAgent } from "node:https";
import { json } from "node:stream/consumers";

export type OneConnection = {
  get(url: URL, signal: AbortSignal): Promise<{ status: number; body: unknown }>;
  /** The next question is asked on a new one. */
  close(): void;
};

const kept = { keepAlive: true, maxSockets: 1 };

export function createOneConnection(): OneConnection {
  const agents = { "http:": new Agent(kept), "https:": new SecureAgent(kept) };
  return {
    async get(url, signal) {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const request =
          url.protocol === "https:"
            ? getHttps(url, { agent: agents["https:"], signal }, resolve)
            : getHttp(url, { agent: agents["http:"], signal }, resolve);
        request.once("error", reject);
      });
      const { statusCode: status = 0 } = response;
      if (status !== 200) {
        response.resume();
        return { status, body: undefined };
      }
      return { status, body: await json(response) };
    },
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}
