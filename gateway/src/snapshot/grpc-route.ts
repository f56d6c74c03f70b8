import { z } from "zod";
import { BackendRef, haveDistinctNames, RouteSpec, Weight } from "./gateway-api.ts";
import { HeaderMatches } from "./http-route.ts";
import { Metadata } from "./metadata.ts";
import { RegularExpression } from "./regular-expression.ts";
import { Filters } from "./route-filters.ts";

/** A service or method as it is in a path: `package.Service`, `Method`. */
const Name = z
  .string()
  .max(1024)
  .regex(/^[A-Za-z_][A-Za-z0-9_.]*$/, "is not a name of gRPC");

const MethodMatch = z.preprocess(
  (method) =>
    typeof method === "object" && method !== null ? { type: "Exact", ...method } : method,
  z
    .discriminatedUnion("type", [
      z.strictObject({
        type: z.literal("Exact"),
        service: Name.optional(),
        method: Name.optional(),
      }),
      z.strictObject({
        type: z.literal("RegularExpression"),
        service: RegularExpression.optional(),
        method: RegularExpression.optional(),
      }),
    ])
    .refine(
      ({ service, method }) => service !== undefined || method !== undefined,
      "names neither a service nor a method",
    ),
);

const GrpcMatch = z.strictObject({ method: MethodMatch.optional(), headers: HeaderMatches });

export type GrpcMatch = z.infer<typeof GrpcMatch>;

const Rule = z.strictObject({
  name: z.string().min(1).optional(),
  matches: z
    .array(GrpcMatch)
    .max(64)
    .default([])
    .transform((matches) => (matches.length > 0 ? matches : [GrpcMatch.parse({})])),
  filters: Filters,
  backendRefs: z
    .array(BackendRef.extend({ weight: Weight, filters: Filters }))
    .max(16)
    .default([]),
  /** Not carried out: a rule that has it is refused, and says so. */
  sessionPersistence: z.unknown().optional(),
});

export type GrpcRule = z.infer<typeof Rule>;

export const GRPCRoute = z.object({
  metadata: Metadata,
  spec: RouteSpec.extend({
    rules: z
      .array(Rule)
      .max(16)
      .default([])
      .refine(haveDistinctNames, "have the same name twice")
      .transform((rules) => (rules.length > 0 ? rules : [Rule.parse({})])),
  }),
});

export type GRPCRoute = z.infer<typeof GRPCRoute>;
