/**
 * Reads from Extend: authenticated, versioned, within a deadline, measured and logged by operation.
 * What it was sent or answered is never logged: only the request id that its support asks for.
 */
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger, Metrics, Secret } from "@portico/service-kit";
import axios, { type AxiosResponse } from "axios";
import { Histogram } from "prom-client";
import type { z } from "zod";
import { apiKeyHeader, mediaType, requestIdHeader } from "./extend-contract.ts";
import { breakdownOf, Failure, isConnectionError, refusalOf, unreadable } from "./failure.ts";

export type ExtendOptions = {
  url: string;
  apiKey: Secret;
  apiSecret: Secret;
  logger: Logger;
  metrics: Metrics;
  /** For an operation as a whole, its second attempt included. */
  deadlineMs?: number;
};

type Read<Schema extends z.ZodType> = {
  /** Low-cardinality name, for the metric and the log. */
  operation: string;
  path: string;
  query?: Record<string, string | number>;
  /** What the answer must be. */
  answer: Schema;
};

export type ExtendClient = {
  /** @throws Problem of our own, whatever went wrong there. */
  read<Schema extends z.ZodType>(read: Read<Schema>): Promise<z.output<Schema>>;
};

/** More than any page that we ask for. */
const longestAnswerBytes = 2_000_000;
/** More connections than these wait, and their callers' deadlines end the wait. */
const connections = { keepAlive: true, maxSockets: 20 };

export function createExtendClient({
  deadlineMs = 5_000,
  ...options
}: ExtendOptions): ExtendClient {
  const { logger, metrics } = options;
  const duration = new Histogram({
    name: "cards_provider_request_duration_seconds",
    help: "Time that an operation of the card network took, its retry included.",
    labelNames: ["operation", "outcome"],
    buckets: [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [metrics.registry],
  });
  const http = axios.create({
    baseURL: options.url,
    httpAgent: new HttpAgent(connections),
    httpsAgent: new HttpsAgent(connections),
    // Neither a proxy from the environment nor a redirect gets to see the key.
    proxy: false,
    maxRedirects: 0,
    maxContentLength: longestAnswerBytes,
    validateStatus: () => true,
    headers: { Accept: mediaType, [apiKeyHeader]: options.apiKey.reveal() },
    auth: { username: options.apiKey.reveal(), password: options.apiSecret.reveal() },
  });

  /** One more attempt when the connection broke: reading twice changes nothing. */
  async function get({ path, query }: Read<z.ZodType>): Promise<AxiosResponse<unknown>> {
    const signal = AbortSignal.timeout(deadlineMs);
    const attempt = () => http.get<unknown>(path, { params: query, signal });
    try {
      return await attempt();
    } catch (error) {
      if (!isConnectionError(error)) throw error;
      // Not all of us at the same moment.
      await sleep(50 + Math.random() * 100);
      return await attempt();
    }
  }

  async function call<Schema extends z.ZodType>(read: Read<Schema>): Promise<z.output<Schema>> {
    const { status, data, headers } = await get(read).catch((error) => {
      throw breakdownOf(error);
    });
    logger.info("card-network.answered", {
      operation: read.operation,
      status,
      providerRequestId: headers[requestIdHeader],
    });
    const refusal = refusalOf(status, data, headers["retry-after"]);
    if (refusal) throw refusal;
    const parsed = read.answer.safeParse(data);
    if (!parsed.success) throw unreadable(parsed.error);
    return parsed.data;
  }

  return {
    async read(read) {
      const { operation } = read;
      const stop = duration.startTimer({ operation });
      try {
        const answer = await call(read);
        stop({ outcome: "ok" });
        return answer;
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        stop({ outcome: error.outcome });
        logger.warn("card-network.failed", { operation, outcome: error.outcome });
        throw error.problem;
      }
    },
  };
}
