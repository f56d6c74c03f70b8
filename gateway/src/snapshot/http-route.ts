import { z } from "zod";
import {
  BackendRef,
  Duration,
  durationMs,
  HeaderName,
  haveDistinctNames,
  RouteSpec,
  Weight,
} from "./gateway-api.ts";
import { Metadata } from "./metadata.ts";
import { RegularExpression } from "./regular-expression.ts";
import { Filters } from "./route-filters.ts";

/** The standard's own checks: a path that a normalised request can never have is a mistake. */
export const PathValue = z
  .string()
  .max(1024)
  .startsWith("/")
  .refine(
    (path) => !/\/\/|\/\.\.?(\/|$)|%2f|[#?]/i.test(path),
    "has //, a dot segment, %2F, ? or #",
  );

const PathMatch = z.preprocess(
  // The standard's defaults, which a discriminated union has no place for.
  (path) => (isRecord(path) ? { type: "PathPrefix", value: "/", ...path } : path),
  z.discriminatedUnion("type", [
    z.strictObject({ type: z.literal("Exact"), value: PathValue }),
    z.strictObject({ type: z.literal("PathPrefix"), value: PathValue }),
    z.strictObject({ type: z.literal("RegularExpression"), value: RegularExpression }),
  ]),
);

const valueMatch = <Name extends z.ZodType>(name: Name) =>
  z.preprocess(
    (match) => (isRecord(match) ? { type: "Exact", ...match } : match),
    z.discriminatedUnion("type", [
      z.strictObject({
        type: z.literal("Exact"),
        name,
        value: z.string().min(1).max(4096),
      }),
      z.strictObject({ type: z.literal("RegularExpression"), name, value: RegularExpression }),
    ]),
  );

export const HeaderMatches = z.array(valueMatch(HeaderName)).max(16).default([]);
const QueryMatches = z
  .array(valueMatch(z.string().min(1).max(256)))
  .max(16)
  .default([]);

function isRecord(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export const METHOD_NAMES = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

const Method = z.enum([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "CONNECT",
  "OPTIONS",
  "TRACE",
  "PATCH",
]);

const RouteMatch = z.strictObject({
  path: PathMatch.default({ type: "PathPrefix", value: "/" }),
  method: Method.optional(),
  headers: HeaderMatches,
  queryParams: QueryMatches,
});

export type RouteMatch = z.infer<typeof RouteMatch>;

const HttpBackendRef = BackendRef.extend({ weight: Weight, filters: Filters });

const Timeouts = z
  .strictObject({ request: Duration.optional(), backendRequest: Duration.optional() })
  .refine(
    ({ request, backendRequest }) =>
      request === undefined ||
      backendRequest === undefined ||
      durationMs(request) === 0 ||
      durationMs(backendRequest) <= durationMs(request),
    { path: ["backendRequest"], message: "is longer than the whole request may take" },
  );

/** GEP-1731. */
const Retry = z.strictObject({
  codes: z.array(z.number().int().min(400).max(599)).default([]),
  attempts: z.number().int().min(0).max(100).optional(),
  backoff: Duration.optional(),
});

export type Retry = z.infer<typeof Retry>;

const Rule = z.strictObject({
  name: z.string().min(1).optional(),
  matches: z
    .array(RouteMatch)
    .max(64)
    .default([])
    .transform((matches) => (matches.length > 0 ? matches : [RouteMatch.parse({})])),
  filters: Filters,
  backendRefs: z.array(HttpBackendRef).max(16).default([]),
  timeouts: Timeouts.default({}),
  retry: Retry.optional(),
  /** Not carried out: a rule that has it answers 500, and says so. */
  sessionPersistence: z.unknown().optional(),
});

export type HttpRule = z.infer<typeof Rule>;

export const HTTPRoute = z.object({
  metadata: Metadata,
  spec: RouteSpec.extend({
    rules: z
      .array(Rule)
      .min(1)
      .max(16)
      .refine(haveDistinctNames, "have the same name twice")
      .prefault([{}]),
  }),
});

export type HTTPRoute = z.infer<typeof HTTPRoute>;
