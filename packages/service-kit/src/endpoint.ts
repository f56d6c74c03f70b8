/**
 * One endpoint: contract, guard and handler in one object. Validation, types and the OpenAPI
 * document all come from it. A field that the reply schema does not name is never sent.
 */
import { z } from "zod";
import type { Caller } from "./access-token.ts";
import type { Guard } from "./guard.ts";
import {
  type FieldError,
  invalidRequest,
  type ProblemType,
  type ResponseHeaders,
} from "./problem.ts";

export type Method = "get" | "post" | "put" | "patch" | "delete";

/** What a handler is given, all of it checked. */
export type EndpointRequest<C, P, Q, B> = {
  caller: C;
  params: P;
  query: Q;
  body: B;
  /** A request header, lower-case name. */
  header(name: string): string | undefined;
  /** Path and query as they were sent, for `Link` headers. */
  url: string;
  /** The client's IP address, as far as `trustedHops` lets it be known. */
  address: string;
};

/** A reply that needs more than its body: a `Location`, an `ETag`, another documented status. */
export class Answer<T> {
  readonly body: T;
  readonly status: number | undefined;
  readonly headers: ResponseHeaders;

  constructor(body: T, options: { status?: number; headers?: ResponseHeaders } = {}) {
    this.body = body;
    this.status = options.status;
    this.headers = options.headers ?? {};
  }
}

export const answer = <T>(
  body: T,
  options?: { status?: number; headers?: ResponseHeaders },
): Answer<T> => new Answer(body, options);

/** A body that is sent piece by piece as it is made, since it may be larger than memory. */
export class Streamed {
  readonly pieces: AsyncIterable<string>;

  constructor(pieces: AsyncIterable<string>) {
    this.pieces = pieces;
  }
}

/** The schema of such a body: what is in it nobody checks. */
export const streamed = (description: string) => z.instanceof(Streamed).meta({ description });

type Reply<R extends z.ZodType> = {
  status: number;
  /** Left out for an empty reply. */
  body?: R;
  mediaType?: string;
  /** Response headers, name -> description, for the document. */
  headers?: Record<string, string>;
  /** Further statuses with the same body, status -> when. */
  otherwise?: Record<number, string>;
};

type Definition<
  C extends Caller | undefined,
  P extends z.ZodObject,
  Q extends z.ZodObject,
  B extends z.ZodType,
  R extends z.ZodType,
> = {
  method: Method;
  /** Express path with `:names`; every name is in `params`. */
  path: string;
  summary: string;
  description?: string;
  guard: Guard<C>;
  params?: P;
  query?: Q;
  body?: B;
  /** Request headers that matter, name -> description, for the document. */
  headers?: Record<string, string>;
  /** Media types that the body may have. */
  consumes?: readonly string[];
  reply: Reply<R>;
  problems?: readonly ProblemType[];
  handle(
    request: EndpointRequest<C, z.output<P>, z.output<Q>, z.output<B>>,
  ): Promise<z.input<R> | Answer<z.input<R>>> | z.input<R> | Answer<z.input<R>>;
};

/** An endpoint as the rest of the kit sees it: types gone, behaviour kept. */
export type Endpoint = {
  readonly method: Method;
  readonly path: string;
  readonly summary: string;
  readonly description: string | undefined;
  readonly guard: Guard;
  readonly params: z.ZodObject | undefined;
  readonly query: z.ZodObject | undefined;
  readonly body: z.ZodType | undefined;
  readonly headers: Record<string, string>;
  readonly consumes: readonly string[];
  readonly reply: Reply<z.ZodType> & { mediaType: string };
  readonly problems: readonly ProblemType[];
  /** Checks everything, runs the handler, and cuts the answer to its schema. */
  answer(request: RawRequest): Promise<RawAnswer>;
};

export type RawRequest = EndpointRequest<Caller | undefined, unknown, unknown, unknown>;
export type RawAnswer = { status: number; headers: ResponseHeaders; body: unknown };

/** Declares an endpoint. Objects are strict unless their schema says otherwise: unknown fields are refused. */
export function endpoint<
  C extends Caller | undefined,
  P extends z.ZodObject = z.ZodObject<Record<never, never>>,
  Q extends z.ZodObject = z.ZodObject<Record<never, never>>,
  B extends z.ZodType = z.ZodUndefined,
  R extends z.ZodType = z.ZodUndefined,
>(definition: Definition<C, P, Q, B, R>): Endpoint {
  const { reply } = definition;
  const params = strict(definition.params ?? z.object({}));
  const query = strict(definition.query ?? z.object({}));
  const body = definition.body && strict(definition.body);

  return {
    method: definition.method,
    path: definition.path,
    summary: definition.summary,
    description: definition.description,
    guard: definition.guard,
    params: definition.params,
    query: definition.query,
    body,
    headers: definition.headers ?? {},
    consumes: definition.consumes ?? ["application/json"],
    reply: { ...reply, mediaType: reply.mediaType ?? "application/json" },
    problems: definition.problems ?? [],

    async answer(raw) {
      const caller = definition.guard.admit(raw.caller);
      const checked = checkAll([
        ["path", params, raw.params],
        ["query", query, raw.query],
        ["body", body, raw.body],
      ]);
      const result = await definition.handle({
        ...raw,
        caller,
        params: checked.path as z.output<P>,
        query: checked.query as z.output<Q>,
        body: checked.body as z.output<B>,
      });
      const {
        body: unchecked,
        status,
        headers,
      } = result instanceof Answer ? result : answer(result);
      return {
        status: status ?? reply.status,
        headers,
        body: reply.body ? reply.body.parse(unchecked) : undefined,
      };
    },
  };
}

const strict = <T extends z.ZodType>(schema: T): T =>
  schema instanceof z.ZodObject && schema.def.catchall === undefined
    ? (schema.strict() as unknown as T)
    : schema;

/** Whoever takes unknown fields checks what is in them. */
const isLoose = (schema: z.ZodType): boolean =>
  schema instanceof z.ZodObject && schema.def.catchall instanceof z.ZodUnknown;

type Part = [where: "path" | "query" | "body", schema: z.ZodType | undefined, value: unknown];

/** A body of nothing but mistakes must not be answered with many times its size. */
const mostErrors = 100;

/** Checks every part, and refuses with all of their mistakes together. */
function checkAll(parts: Part[]): Record<"path" | "query" | "body", unknown> {
  const checked: Record<string, unknown> = {};
  const errors: FieldError[] = [];
  for (const [where, schema, value] of parts) {
    const parsed = schema?.safeParse(value);
    if (parsed?.error)
      errors.push(...parsed.error.issues.flatMap((issue) => toErrors(where, issue)));
    else if (schema && !isLoose(schema)) errors.push(...illFormedTexts(where, value, []));
    checked[where] = parsed?.data;
  }
  if (errors.length > 0) throw invalidRequest(undefined, { errors: errors.slice(0, mostErrors) });
  return checked as Record<"path" | "query" | "body", unknown>;
}

const toErrors = (where: FieldError["in"], issue: z.core.$ZodIssue): FieldError[] => {
  const at = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      in: where,
      field: [...at, key].join("."),
      detail: "Not a known field.",
    }));
  }
  return [{ in: where, field: at.join("."), detail: issue.message }];
};

/** A lone surrogate cannot be kept as UTF-8: what came back would not be what was sent. */
function illFormedTexts(where: FieldError["in"], value: unknown, at: string[]): FieldError[] {
  if (typeof value === "string") {
    if (value.isWellFormed()) return [];
    return [{ in: where, field: at.join("."), detail: "Not well-formed Unicode." }];
  }
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, item]) =>
    illFormedTexts(where, item, [...at, name]),
  );
}
