/**
 * W3C Trace Context (https://www.w3.org/TR/trace-context/): the trace that a request belongs to,
 * carried through every await, so that each log line, event and outbound call joins it.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";

export type Trace = { traceId: string; spanId: string; flags: string };

const storage = new AsyncLocalStorage<Trace>();

/** Not version ff, which is none; after a version later than 00 more may follow. */
const pattern =
  /^(?!ff)(?:00(?=.{53}$)|(?!00)[\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(?:-.*)?$/;
const none = /^0+$/;

/** 32 digits. A UUID comes from a pool of random bytes: a call for a few of them costs 15 µs. */
const randomHex = () => randomUUID().replaceAll("-", "");

/** A trace with a span of our own: continues `traceparent` when it is valid, else starts one. */
export function continueTrace(traceparent: string | undefined): Trace {
  const [, traceId, parentId, flags] = pattern.exec(traceparent ?? "") ?? [];
  const spanId = randomHex().slice(16);
  if (!traceId || !parentId || none.test(traceId) || none.test(parentId)) {
    return { traceId: randomHex(), spanId, flags: "00" };
  }
  return { traceId, spanId, flags: flags ?? "00" };
}

/** Runs `work` inside a trace. */
export const inTrace = <T>(trace: Trace, work: () => T): T => storage.run(trace, work);

export const currentTrace = (): Trace | undefined => storage.getStore();

/** The `traceparent` value for an outbound call or an event; undefined outside any trace. */
export function traceparent(): string | undefined {
  const trace = currentTrace();
  return trace && `00-${trace.traceId}-${trace.spanId}-${trace.flags}`;
}
