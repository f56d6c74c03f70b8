import type { Retry } from "../model/model.ts";
import { extension, type Json } from "./envoy-config.ts";

const NO_ANSWER = ["connect-failure", "refused-stream", "reset"];
const DEFAULT_RETRIES = 3;

/**
 * Only what may be asked twice is asked again, and only when no answer came: a service that is
 * killed and back costs a read nothing, and a write is never done twice. Unless a rule says itself
 * what is tried again, and how often.
 */
export function retryPolicy(retry?: Retry, perTryMs?: number): Json {
  const perTry = perTryMs !== undefined && { per_try_timeout: seconds(perTryMs) };
  if (!retry) {
    return {
      retry_on: NO_ANSWER.join(","),
      num_retries: DEFAULT_RETRIES,
      ...perTry,
      ...backoff(),
      ...elsewhere(),
      retriable_request_headers: ["GET", "HEAD", "OPTIONS"].map((exact) => ({
        ...{ name: ":method", string_match: { exact } },
      })),
    };
  }
  const { codes, attempts = DEFAULT_RETRIES, backoffMs } = retry;
  const retryOn = [...NO_ANSWER, ...(codes.length > 0 ? ["retriable-status-codes"] : [])];
  return {
    ...(attempts > 0 && { retry_on: retryOn.join(",") }),
    num_retries: attempts,
    ...(codes.length > 0 && { retriable_status_codes: codes }),
    ...perTry,
    ...backoff(backoffMs),
    ...elsewhere(),
  };
}

/** GEP-1731: the least time between two tries. Envoy waits between none of it and all. */
function backoff(milliseconds = 100): { retry_back_off: Json } {
  const base = Math.max(milliseconds, 1);
  return { retry_back_off: { base_interval: seconds(base), max_interval: seconds(base * 10) } };
}

/** An endpoint that gave no answer is not asked again while there is another. */
function elsewhere(): { readonly [field: string]: Json } {
  const previousHosts = extension(
    "envoy.retry_host_predicates.previous_hosts",
    "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
  );
  return { retry_host_predicate: [previousHosts], host_selection_retry_max_attempts: 5 };
}

function seconds(milliseconds: number): string {
  return `${milliseconds / 1000}s`;
}
