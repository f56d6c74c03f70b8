/** For tests: a sandbox on a free port with a clock in the test's hand, and a client that knows the manners. */
import { onTestFinished } from "vitest";
import { apiKeyHeader, mediaType } from "./contract.ts";
import { createExtend, type Extend, type ExtendOptions } from "./extend.ts";

export const apiKey = "key";
export const apiSecret = "secret";

export type Answer<Body> = { status: number; headers: Headers; body: Body };

export type Sandbox = {
  extend: Extend;
  /** Moves the sandbox's time on. */
  pass(ms: number): void;
  /** A request as the organisation; other headers replace its own. */
  call<Body>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer<Body>>;
  get<Body>(path: string, headers?: Record<string, string>): Promise<Answer<Body>>;
};

const organization = {
  accept: mediaType,
  [apiKeyHeader]: apiKey,
  authorization: `Basic ${btoa(`${apiKey}:${apiSecret}`)}`,
};

export const bearer = (token: string) => ({
  accept: mediaType,
  authorization: `Bearer ${token}`,
});

export async function openSandbox(options: Partial<ExtendOptions> = {}): Promise<Sandbox> {
  let nowMs = Date.parse("2026-03-01T12:00:00Z");
  const extend = await createExtend({ apiKey, apiSecret, clock: () => nowMs, ...options });
  onTestFinished(() => extend.close());

  const call: Sandbox["call"] = async <Body>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = organization,
  ) => {
    const response = await fetch(extend.url + path, {
      method,
      headers: body === undefined ? headers : { ...headers, "content-type": "application/json" },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text ? JSON.parse(text) : undefined) as Body,
    };
  };

  return {
    extend,
    call,
    get: (path, headers) => call("GET", path, undefined, headers),
    pass: (ms) => {
      nowMs += ms;
    },
  };
}

/** Answers as a test reads them. */
export type Card = {
  id: string;
  status: string;
  displayName: string;
  notes: string;
  balanceCents: number;
  spentCents: number;
  limitCents: number;
  recipientId: string;
  validTo: string;
  recurrence?: { until: string };
};
export type CardAnswer = { virtualCard: Card };
export type Pagination = {
  page: number;
  pageItemCount: number;
  totalItems: number;
  numberOfPages: number;
};
export type CardsAnswer = { virtualCards: Card[]; pagination: Pagination };
export type ShownTransaction = {
  id: string;
  status: string;
  virtualCardId: string;
  merchantName: string;
  authedAt: string;
  clearingBillingAmountCents: number;
  hasAttachments: boolean;
};
export type TransactionsAnswer = { transactions: ShownTransaction[] };
export type ReportAnswer = {
  report: { page: number; perPage: number; count: number; transactions: ShownTransaction[] };
  pagination: Pagination;
};
export type ErrorAnswer = { error: string; details?: { field: string }[] };
export type TokenAnswer = {
  token: string;
  refreshToken: string;
  refresh_token: string;
  user: { id: string; email: string };
};
