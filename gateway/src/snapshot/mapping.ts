import { z } from "zod";
import { Metadata } from "./metadata.ts";
import { RegularExpression } from "./regular-expression.ts";

/**
 * Emissary-ingress' Mapping (`getambassador.io/v3alpha1`, and `v2`), in its own spelling. A field that
 * decides what becomes of a request and is not carried out is refused by name; one that is about how
 * Emissary finds and keeps connections is told in the status. Nothing is lost without a word.
 */

const Names = z.array(z.string().min(1).max(256)).max(16);
const Values = z.record(z.string(), z.union([z.string(), z.literal(true)]));
const Expressions = z.record(z.string(), RegularExpression);
const HeaderAdditions = z.record(
  z.string(),
  z.union([
    z.string(),
    z.strictObject({
      value: z.string(),
      append: z.boolean().default(true),
      v2Representation: z.unknown().optional(),
    }),
  ]),
);
const TextOrList = z
  .union([z.string(), z.array(z.string())])
  .transform((value) =>
    typeof value === "string" ? value.split(",").map((part) => part.trim()) : value,
  );
const Milliseconds = z.number().int().min(0).max(86_400_000);

/** `[http://]name[.namespace][:port]` */
const ServiceName = z
  .string()
  .max(512)
  .refine(
    (service) => !service.startsWith("https://"),
    "is spoken to by TLS, which takes a BackendTLSPolicy for the Service; write it without https://",
  );

const CircuitBreaker = z.strictObject({
  /** Nothing here has the priority `high`. */
  priority: z.enum(["default", "high"]).default("default"),
  max_connections: z.number().int().min(1).optional(),
  max_pending_requests: z.number().int().min(0).optional(),
  max_requests: z.number().int().min(1).optional(),
  max_retries: z.number().int().min(0).optional(),
});

/** Endpoints are Kubernetes' own here, and Envoy is told itself how to keep connections to them. */
export const TOLD_FIELDS = [
  "cluster_idle_timeout_ms",
  "cluster_max_connection_lifetime_ms",
  "cluster_tag",
  "connect_timeout_ms",
  "dns_type",
  "enable_ipv4",
  "enable_ipv6",
  "keepalive",
  "resolver",
  "respect_dns_ttl",
] as const;

/** What Emissary's own conversion between versions leaves behind; it says nothing by itself. */
const LEFTOVERS = ["v2ExplicitTLS", "v2BoolHeaders", "v2BoolQueryParameters"] as const;

function anything<Field extends string>(fields: readonly Field[]) {
  return Object.fromEntries(fields.map((field) => [field, z.unknown().optional()])) as Record<
    Field,
    z.ZodOptional<z.ZodUnknown>
  >;
}

/** The value it has when nobody writes it. */
const only = (value: boolean) => z.literal(value, { error: "is not carried out" }).optional();

/** `2.5s`, as Envoy has it. */
const Seconds = z.string().regex(/^[0-9]{1,5}(\.[0-9]{1,9})?s$/, "is not a duration such as 2.5s");

const RETRIES_ON = ["5xx", "gateway-error", "connect-failure", "refused-stream", "retriable-4xx"];

const REDIRECTING = ["path_redirect", "prefix_redirect", "redirect_response_code"] as const;

type Redirecting = Readonly<Partial<Record<(typeof REDIRECTING)[number], unknown>>> & {
  readonly method?: string | undefined;
  readonly method_regex: boolean;
  readonly host_redirect: boolean;
  readonly shadow: boolean;
};

function mistakesIn(spec: Redirecting): [field: string, message: string][] {
  const { method, method_regex, host_redirect, shadow } = spec;
  const problem = method_regex && RegularExpression.safeParse(method).error?.issues[0]?.message;
  const alone = host_redirect ? [] : REDIRECTING.filter((field) => spec[field] !== undefined);
  return [
    ...(problem ? [["method", problem] as [string, string]] : []),
    ...alone.map((field): [string, string] => [field, "redirects only with host_redirect: true"]),
    ...(shadow && host_redirect
      ? [
          ["shadow", "is a copy for another service, and host_redirect sends none"] as [
            string,
            string,
          ],
        ]
      : []),
  ];
}

export const Mapping = z.object({
  metadata: Metadata,
  spec: z
    .strictObject({
      hostname: z.string().max(253).optional(),
      host: z.string().max(253).optional(),
      prefix: z.string().startsWith("/").max(1024),
      prefix_regex: z.boolean().default(false),
      prefix_exact: z.boolean().default(false),
      service: ServiceName,
      rewrite: z.string().max(1024).optional(),
      host_rewrite: z.string().max(253).optional(),
      method: z.string().optional(),
      method_regex: z.boolean().default(false),
      headers: Values.default({}),
      regex_headers: Expressions.default({}),
      query_parameters: Values.default({}),
      regex_query_parameters: Expressions.default({}),
      timeout_ms: Milliseconds.optional(),
      idle_timeout_ms: Milliseconds.optional(),
      retry_policy: z
        .strictObject({
          retry_on: z.enum(RETRIES_ON).optional(),
          num_retries: z.number().int().min(0).max(100).optional(),
          per_try_timeout: Seconds.optional(),
          retry_back_off: z.strictObject({ base_interval: Seconds }).optional(),
        })
        .optional(),
      cors: z
        .strictObject({
          origins: TextOrList.optional(),
          methods: TextOrList.optional(),
          headers: TextOrList.optional(),
          exposed_headers: TextOrList.optional(),
          credentials: z.boolean().optional(),
          max_age: z.coerce.number().int().min(1).optional(),
          v2CommaSeparatedOrigins: z.unknown().optional(),
        })
        .optional(),
      circuit_breakers: z.array(CircuitBreaker).max(2).default([]),
      weight: z.number().int().min(0).max(100).optional(),
      bypass_auth: z.boolean().default(false),
      add_request_headers: HeaderAdditions.default({}),
      remove_request_headers: Names.default([]),
      add_response_headers: HeaderAdditions.default({}),
      remove_response_headers: Names.default([]),
      host_redirect: z.boolean().default(false),
      path_redirect: z.string().optional(),
      prefix_redirect: z.string().optional(),
      redirect_response_code: z.number().int().optional(),
      precedence: z.number().int().default(0),
      shadow: z.boolean().default(false),
      add_linkerd_headers: only(false),
      auto_host_rewrite: only(false),
      case_sensitive: only(true),
      grpc: only(false),
      host_regex: only(false),
      use_websocket: only(false),
      ...anything(TOLD_FIELDS),
      ...anything(LEFTOVERS),
      // Say nothing of a request: which Emissary reads it, and what is shown of it elsewhere.
      ambassador_id: z.unknown().optional(),
      docs: z.unknown().optional(),
      stats_name: z.string().optional(),
    })
    .superRefine((spec, context) => {
      for (const [field, message] of mistakesIn(spec)) {
        context.addIssue({ code: "custom", path: [field], message });
      }
    }),
});

export type Mapping = z.infer<typeof Mapping>;
