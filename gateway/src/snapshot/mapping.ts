import { z } from "zod";
import { Metadata } from "./metadata.ts";
import { RegularExpression } from "./regular-expression.ts";

/**
 * Emissary-ingress' Mapping (`getambassador.io/v3alpha1`), in its own spelling. A field that is not
 * carried out is refused by name, so that nobody moves over and loses something without a word.
 */

const Names = z.array(z.string().min(1).max(256)).max(16);
const Values = z.record(z.string(), z.union([z.string(), z.literal(true)]));
const Expressions = z.record(z.string(), RegularExpression);
const HeaderAdditions = z.record(
  z.string(),
  z.union([z.string(), z.strictObject({ value: z.string(), append: z.boolean().default(true) })]),
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
  priority: z.literal("default").optional(),
  max_connections: z.number().int().min(1).optional(),
  max_pending_requests: z.number().int().min(0).optional(),
  max_requests: z.number().int().min(1).optional(),
});

const RETRIES_ON = ["5xx", "gateway-error", "connect-failure", "refused-stream", "retriable-4xx"];

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
          per_try_timeout: z.string().optional(),
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
        })
        .optional(),
      circuit_breakers: z.array(CircuitBreaker).max(1).default([]),
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
      // Say nothing of a request: which Emissary reads it, and what is shown of it elsewhere.
      ambassador_id: z.unknown().optional(),
      docs: z.unknown().optional(),
      stats_name: z.string().optional(),
    })
    .superRefine(({ method, method_regex }, context) => {
      const problem = method_regex && RegularExpression.safeParse(method).error?.issues[0]?.message;
      if (problem) {
        context.addIssue({ code: "custom", path: ["method"], message: problem });
      }
    }),
});

export type Mapping = z.infer<typeof Mapping>;
