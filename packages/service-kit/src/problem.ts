/**
 * What can go wrong, in one class: a status, a stable code, a public detail and a private cause.
 * Thrown anywhere below an endpoint and turned into bytes in one place (create-app.ts); which bytes,
 * the service's protocol decides (`ProblemFormat`): RFC 9457 by default.
 */
import { STATUS_CODES } from "node:http";
import { z } from "zod";
import { isStoreAway } from "./store-away.ts";

/** One wrong field of a request: where it stands, its dotted path, and what to do about it. */
export type FieldError = {
  in: "body" | "query" | "path" | "header";
  field: string;
  detail: string;
};

/** Of an answer; several values are several lines of that name (`Set-Cookie`). */
export type ResponseHeaders = Record<string, string | string[]>;

type ProblemOptions = {
  /** Every wrong field of the request, not only the first. */
  errors?: FieldError[];
  /** Response headers that belong to the refusal: `Allow`, `Retry-After`, `WWW-Authenticate`. */
  headers?: ResponseHeaders;
  /** Logged, never sent. */
  cause?: unknown;
};

export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors: FieldError[] | undefined;
  readonly headers: ResponseHeaders;

  constructor(status: number, code: string, detail: string, options: ProblemOptions = {}) {
    super(`${code}: ${detail}`, { cause: options.cause });
    this.name = "Problem";
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.errors = options.errors;
    this.headers = options.headers ?? {};
  }
}

/** A kind of problem: call it to make one; an endpoint lists it so that its document shows it. */
export type ProblemType = {
  (detail?: string, options?: ProblemOptions): Problem;
  readonly status: number;
  readonly code: string;
  readonly summary: string;
};

/**
 * Declares a kind of problem.
 * @param status HTTP status, 4xx or 5xx
 * @param code stable, kebab-case: clients branch on it
 * @param summary the public detail when the thrower gives none
 */
export function problemType(status: number, code: string, summary: string): ProblemType {
  const make = (detail = summary, options?: ProblemOptions) =>
    new Problem(status, code, detail, options);
  return Object.assign(make, { status, code, summary });
}

export const invalidRequest = problemType(400, "invalid-request", "The request is not valid.");
export const unauthenticated = problemType(
  401,
  "unauthenticated",
  "A valid access token is needed.",
);
export const forbidden = problemType(403, "forbidden", "The caller may not do this.");
export const notFound = problemType(404, "not-found", "There is no such resource.");
export const methodNotAllowed = problemType(
  405,
  "method-not-allowed",
  "This path does not answer that method.",
);
export const notAcceptable = problemType(
  406,
  "not-acceptable",
  "None of the accepted media types can be answered.",
);
export const conflict = problemType(409, "conflict", "The resource is in another state.");
export const preconditionFailed = problemType(
  412,
  "precondition-failed",
  "The resource has changed meanwhile.",
);
export const payloadTooLarge = problemType(413, "payload-too-large", "The body is too large.");
export const unsupportedMediaType = problemType(
  415,
  "unsupported-media-type",
  "The body is of an unsupported type.",
);
export const headersTooLarge = problemType(
  431,
  "headers-too-large",
  "The URL and the headers together are too large.",
);
export const tooManyRequests = problemType(429, "too-many-requests", "Too many requests.");
export const internal = problemType(500, "internal", "Something went wrong on our side.");
export const upstreamUnavailable = problemType(
  502,
  "upstream-unavailable",
  "A service that this one depends on failed.",
);
export const unavailable = problemType(
  503,
  "unavailable",
  "The service cannot answer right now. Try again shortly.",
);
export const upstreamTimeout = problemType(
  504,
  "upstream-timeout",
  "A service that this one depends on did not answer in time.",
);

/** How a service writes its problems: the media type, the bytes, and the schema for its document. */
export type ProblemFormat = {
  mediaType: string;
  schema: z.ZodType;
  render(problem: Problem, traceId: string): unknown;
};

/** `application/problem+json`, RFC 9457, with `code`, `errors` and `traceId` as extension members. */
export const problemJson: ProblemFormat = {
  mediaType: "application/problem+json",
  schema: z
    .object({
      type: z.string().meta({ description: "about:blank: the code says which problem it is" }),
      title: z.string(),
      status: z.int(),
      code: z.string().meta({ description: "Stable: clients branch on it" }),
      detail: z.string(),
      traceId: z.string().optional().meta({ description: "Quote it when you ask for help" }),
      errors: z
        .array(
          z.object({
            in: z.enum(["body", "query", "path", "header"]),
            field: z.string(),
            detail: z.string(),
          }),
        )
        .optional(),
    })
    .meta({ id: "Problem" }),
  render: (problem, traceId) => ({
    type: "about:blank",
    title: STATUS_CODES[problem.status] ?? "Error",
    status: problem.status,
    code: problem.code,
    detail: problem.detail,
    traceId,
    ...(problem.errors && { errors: problem.errors }),
  }),
};

/** What the body parser (http-errors) and the router (a path that cannot be decoded) throw. */
type HttpError = { status: number; type?: string; message: string };

/** No more than those: the status on any other error is its maker's upstream, not our caller. */
const isHttpError = (error: unknown): error is HttpError =>
  error instanceof Error &&
  "status" in error &&
  (error instanceof URIError || ("expose" in error && error.expose === true));

const fromHttpError = (error: HttpError): Problem => {
  if (error.status === 413) return payloadTooLarge(undefined, { cause: error });
  if (error.status === 415) return unsupportedMediaType(error.message, { cause: error });
  if (error.type === "entity.parse.failed") {
    // The parser's message quotes the body, which may hold a secret: say our own.
    return invalidRequest("The body is not valid JSON.", { cause: error });
  }
  return invalidRequest("The request could not be read.", { cause: error });
};

/** Any thrown value as a Problem: what is not known dies as 500 and says nothing. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (isHttpError(error)) return fromHttpError(error);
  if (isStoreAway(error)) {
    return unavailable(undefined, { cause: error, headers: { "Retry-After": "1" } });
  }
  return internal(undefined, { cause: error });
}
