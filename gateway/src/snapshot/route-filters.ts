import { z } from "zod";
import {
  BackendRef,
  HeaderName,
  HeaderValue,
  Hostname,
  PortNumber,
  PreciseHostname,
} from "./gateway-api.ts";

/**
 * What a rule does to requests and answers beside sending them on. A filter of a type that is not
 * here is kept by its name: the rule it belongs to must answer 500, and the others are served.
 */

const CHANGED_ELSEWHERE = /^(:.*|host)$/i;

/** Envoy writes these itself, and refuses a configuration that says otherwise. */
const ChangedName = HeaderName.refine(
  (name) => !CHANGED_ELSEWHERE.test(name),
  "cannot be changed as a header; use URLRewrite",
);

const HeaderEntries = z
  .array(z.strictObject({ name: ChangedName, value: HeaderValue }))
  .max(16)
  .default([]);

export const HeaderModifier = z.strictObject({
  set: HeaderEntries,
  add: HeaderEntries,
  remove: z.array(ChangedName).max(16).default([]),
});

export type HeaderModifier = z.infer<typeof HeaderModifier>;

const PathText = z
  .string()
  .max(1024)
  .regex(/^[\x21\x22\x24-\x3e\x40-\x7e]*$/, "has a character that is no part of a path");

const PathModifier = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("ReplaceFullPath"), replaceFullPath: PathText }),
  z.strictObject({ type: z.literal("ReplacePrefixMatch"), replacePrefixMatch: PathText }),
]);

export type PathModifier = z.infer<typeof PathModifier>;

const RequestRedirect = z.strictObject({
  scheme: z.enum(["http", "https"]).optional(),
  hostname: PreciseHostname.optional(),
  path: PathModifier.optional(),
  port: PortNumber.optional(),
  statusCode: z
    .union([z.literal(301), z.literal(302), z.literal(303), z.literal(307), z.literal(308)])
    .default(302),
});

export type RequestRedirect = z.infer<typeof RequestRedirect>;

const UrlRewrite = z.strictObject({
  hostname: PreciseHostname.optional(),
  path: PathModifier.optional(),
});

const RequestMirror = z
  .strictObject({
    backendRef: BackendRef,
    percent: z.number().int().min(0).max(100).optional(),
    fraction: z
      .strictObject({
        numerator: z.number().int().min(0),
        denominator: z.number().int().min(1).default(100),
      })
      .refine(({ numerator, denominator }) => numerator <= denominator, "is more than everything")
      .optional(),
  })
  .refine(({ percent, fraction }) => percent === undefined || fraction === undefined, {
    message: "has percent and fraction; use one of them",
  });

export type RequestMirror = z.infer<typeof RequestMirror>;

/** `https://*.example.com:8443`, `*`, or an origin as a browser writes it. */
const Origin = z
  .string()
  .max(253)
  .refine(
    (origin) =>
      origin === "*" ||
      (/^[a-z][a-z0-9+.-]*:\/\/([^/:]+)(:([0-9]{1,5}|\*))?$/i.test(origin) &&
        (Hostname.safeParse(hostOf(origin)).success || hostOf(origin) === "*")),
    "is not an origin such as https://example.com",
  );

function hostOf(origin: string): string {
  return (/:\/\/([^/:]+)/.exec(origin)?.[1] ?? "").toLowerCase();
}

const Tokens = z
  .array(HeaderName)
  .max(64)
  .default([])
  .refine((names) => !names.includes("*") || names.length === 1, "have * beside other values");

const Cors = z.strictObject({
  allowOrigins: z.array(Origin).max(64).default([]),
  allowMethods: Tokens,
  allowHeaders: Tokens,
  exposeHeaders: Tokens,
  allowCredentials: z.boolean().default(false),
  maxAge: z.number().int().min(1).default(5),
});

export type Cors = z.infer<typeof Cors>;

const Known = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("RequestHeaderModifier"),
    requestHeaderModifier: HeaderModifier,
  }),
  z.strictObject({
    type: z.literal("ResponseHeaderModifier"),
    responseHeaderModifier: HeaderModifier,
  }),
  z.strictObject({ type: z.literal("RequestRedirect"), requestRedirect: RequestRedirect }),
  z.strictObject({ type: z.literal("URLRewrite"), urlRewrite: UrlRewrite }),
  z.strictObject({ type: z.literal("RequestMirror"), requestMirror: RequestMirror }),
  z.strictObject({ type: z.literal("CORS"), cors: Cors }),
  z.strictObject({ type: z.literal("Unsupported"), name: z.string() }),
]);

const TYPES: ReadonlySet<string> = new Set(Known.options.map((option) => option.shape.type.value));

function nameUnsupported(filter: unknown): unknown {
  const type = z.looseObject({ type: z.string() }).safeParse(filter).data?.type;
  return type === undefined || TYPES.has(type) ? filter : { type: "Unsupported", name: type };
}

const Filter = z.preprocess(nameUnsupported, Known);

export type RouteFilter = z.infer<typeof Filter>;

export const Filters = z.array(Filter).max(16).default([]);
