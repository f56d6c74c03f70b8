/** How a call to the provider ends, and what that means to our caller. */
import {
  notFound,
  type Problem,
  unavailable,
  upstreamTimeout,
  upstreamUnavailable,
} from "@portico/service-kit";
import axios from "axios";
import { isThrottled } from "./extend-contract.ts";

/** The metric's label: few, and each of them something an operator acts on. */
export type Outcome =
  | "ok"
  | "not-found"
  | "refused"
  | "throttled"
  | "failed"
  | "unreadable"
  | "unreachable"
  | "timeout";

/** A call that brought nothing: what is measured, and what is thrown. */
export class Failure extends Error {
  readonly outcome: Outcome;
  readonly problem: Problem;

  constructor(outcome: Outcome, problem: Problem) {
    super(outcome);
    this.outcome = outcome;
    this.problem = problem;
  }
}

const failed = "The card network failed.";

/** An answer that is not the one that was asked for; undefined for one that may be. */
export function refusalOf(
  status: number,
  body: unknown,
  retryAfter: string | undefined,
): Failure | undefined {
  if (status === 200) return undefined;
  if (status === 404) return new Failure("not-found", notFound("There is no such card."));
  if (isThrottled(status, body)) return new Failure("throttled", throttled(retryAfter));
  const cause = new Error(`the card network answered ${status}`);
  return new Failure(
    status === 401 || status === 403 ? "refused" : "failed",
    upstreamUnavailable(failed, { cause }),
  );
}

/** Seconds, as RFC 9110 section 10.2.3 has them; its dates, and absurd waits, are not passed on. */
const soon = /^\d{1,4}$/;

const throttled = (retryAfter = ""): Problem =>
  unavailable("The card network is asked too much right now.", {
    headers: { "Retry-After": soon.test(retryAfter) ? retryAfter : "1" },
    cause: new Error("the card network throttles us"),
  });

/** A body that is not what the contract says. */
export const unreadable = (cause: unknown): Failure =>
  new Failure("unreadable", upstreamUnavailable(failed, { cause }));

/** No answer at all, or half of one. */
export function breakdownOf(error: unknown): Failure {
  if (axios.isCancel(error)) {
    return new Failure(
      "timeout",
      upstreamTimeout("The card network took too long.", { cause: error }),
    );
  }
  if (!axios.isAxiosError(error)) throw error;
  return isConnectionError(error)
    ? new Failure("unreachable", upstreamUnavailable(failed, { cause: error }))
    : unreadable(error);
}

const connectionErrors = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);

/** The connection failed before there was any answer: a read may be tried again. */
export const isConnectionError = (error: unknown): boolean =>
  axios.isAxiosError(error) && !error.response && connectionErrors.has(error.code ?? "");
