import type { Retry, Route } from "../model/model.ts";
import { extension, type Json, typed } from "./envoy-config.ts";

/** Of the request nothing has come to the backend. */
const NOT_ASKED = ["connect-failure", "refused-stream", "reset-before-request"];
const NO_ANSWER = "reset";
const DEFAULT_RETRIES = 3;

/**
 * What no backend has seen is sent again, and a read to which no answer came (`readsAgain`): a service that
 * is killed and back costs a read nothing, and a write is never done twice. Unless a rule says itself
 * what is tried again, and how often.
 */
export function retryPolicy(retry?: Retry, perTryMs?: number): Json {
  const perTry = perTryMs !== undefined && { per_try_timeout: seconds(perTryMs) };
  if (!retry) {
    return {
      retry_on: NOT_ASKED.join(","),
      num_retries: DEFAULT_RETRIES,
      ...perTry,
      ...backoff(),
      ...elsewhere(),
    };
  }
  const { codes, attempts = DEFAULT_RETRIES, backoffMs } = retry;
  const retryOn = [
    ...NOT_ASKED,
    NO_ANSWER,
    ...(codes.length > 0 ? ["retriable-status-codes"] : []),
  ];
  return {
    ...(attempts > 0 && { retry_on: retryOn.join(",") }),
    num_retries: attempts,
    ...(codes.length > 0 && { retriable_status_codes: codes }),
    ...perTry,
    ...backoff(backoffMs),
    ...elsewhere(),
  };
}

const READS_AGAIN = "envoy.filters.http.header_mutation.reads";

/** A policy cannot tell methods apart; what this header says is added to it, and goes no further. */
export function readsAgain(): Json {
  const isRead = "request.method in ['GET', 'HEAD', 'OPTIONS']";
  const value = `%CEL(${isRead} ? '${NO_ANSWER}' : '')%`;
  const header = { key: "x-envoy-retry-on", value };
  return extension(READS_AGAIN, "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation", {
    mutations: { request_mutations: [{ append: { header, keep_empty_value: false } }] },
  });
}

/** Where a rule wants no second try, reads get none either. */
export function retriesOnRoute({ retry }: Route): { readonly [filter: string]: Json } {
  const isNever = retry?.attempts === 0;
  return isNever
    ? { [READS_AGAIN]: typed("envoy.config.route.v3.FilterConfig", { disabled: true }) }
    : {};
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
