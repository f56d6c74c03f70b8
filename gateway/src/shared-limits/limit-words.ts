import type { RateLimit } from "../model/model.ts";

/**
 * How Envoy tells the counting service what to count: the limit's name, its rate and the caller, each an
 * entry of a descriptor. With the rate in the question the service needs no configuration of its own: it
 * answers rightly before the first rebuild, and for a version that Envoy has not let go of yet.
 */
export const LIMIT = "limit";
/** A limit that is kept, and one that is only counted. */
export const ENFORCED = "rate";
export const REPORTED = "reported-rate";

export type Rate = Pick<RateLimit, "requests" | "perMs" | "burst">;

/** `60 per 60000 ms, burst 20` */
export function sayRate({ requests, perMs, burst }: Rate): string {
  return `${requests} per ${perMs} ms, burst ${burst}`;
}

const RATE = /^([1-9]\d{0,6}) per ([1-9]\d{0,6}) ms, burst ([1-9]\d{0,6})$/;

/** The opposite; undefined for anything else. */
export function readRate(text: string): Rate | undefined {
  const [, requests, perMs, burst] = RATE.exec(text) ?? [];
  return requests === undefined
    ? undefined
    : { requests: Number(requests), perMs: Number(perMs), burst: Number(burst) };
}

/** Of a question whose answer says nothing to the client unless it is a refusal: a later one will. */
export const UNSAID = "portico.unsaid";
export const SAID = "portico";
