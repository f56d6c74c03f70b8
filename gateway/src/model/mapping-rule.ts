import { RE2JS } from "re2js";
import { METHOD_NAMES } from "../snapshot/http-route.ts";
import type { Mapping } from "../snapshot/mapping.ts";

/** One Mapping's rule in the words of an HTTPRoute, still to be checked as one. */
type Spec = Mapping["spec"];

export function ruleOfMapping(
  spec: Spec,
  backendRefs: readonly object[],
  mirrors: readonly object[],
): object {
  const { timeout_ms, retry_policy: retry } = spec;
  const { per_try_timeout, retry_back_off, retry_on, num_retries } = retry ?? {};
  return {
    matches: matchesOf(spec),
    filters: [...filtersOf(spec), ...mirrors],
    backendRefs: spec.host_redirect ? [] : backendRefs,
    timeouts: {
      ...(timeout_ms !== undefined && { request: duration(timeout_ms / 1000) }),
      ...(per_try_timeout !== undefined && {
        backendRequest: duration(Number.parseFloat(per_try_timeout)),
      }),
    },
    ...(retry && {
      retry: {
        codes: CODES[retry_on ?? ""] ?? [],
        attempts: num_retries ?? DEFAULT_RETRIES,
        ...(retry_back_off && {
          backoff: duration(Number.parseFloat(retry_back_off.base_interval)),
        }),
      },
    }),
  };
}

/** Envoy's own, which Emissary leaves as it is. */
const DEFAULT_RETRIES = 1;

/** GEP-2257 has no fractions, and no more than five digits before a unit. */
function duration(seconds: number): string {
  const milliseconds = Math.ceil(seconds * 1000);
  return `${Math.floor(milliseconds / 1000)}s${milliseconds % 1000}ms`;
}

const CODES: Readonly<Record<string, number[]>> = {
  "5xx": [500, 502, 503, 504],
  "gateway-error": [502, 503, 504],
  "retriable-4xx": [409],
};

/** `service`: name, namespace and port, as Kubernetes knows them. */
export function serviceOf(service: string, namespace: string) {
  const [host = "", port = "80"] = service.replace(/^http:\/\//, "").split(":");
  const [name = "", other] = host.replace(/\.svc(\.cluster\.local)?\.?$/, "").split(".");
  return { name, namespace: other ?? namespace, port: Number(port) };
}

function matchesOf(spec: Spec): object[] {
  const path = { type: pathType(spec), value: spec.prefix };
  const headers = [...valuesOf(spec.headers), ...expressionsOf(spec.regex_headers)];
  const queryParams = [
    ...valuesOf(spec.query_parameters),
    ...expressionsOf(spec.regex_query_parameters),
  ];
  return methodsOf(spec).map((method) => ({
    path,
    headers,
    queryParams,
    ...(method !== undefined && { method }),
  }));
}

function pathType({ prefix_regex, prefix_exact }: Spec): string {
  if (prefix_regex) {
    return "RegularExpression";
  }
  return prefix_exact ? "Exact" : "PathPrefix";
}

/** An expression for methods stands for those of the known ones that it matches. */
function methodsOf({ method, method_regex }: Spec): (string | undefined)[] {
  if (method === undefined || !method_regex) {
    return [method];
  }
  return METHOD_NAMES.filter((name) => RE2JS.matches(method, name));
}

function valuesOf(values: Spec["headers"]): object[] {
  return Object.entries(values).map(([name, value]) =>
    value === true ? { type: "RegularExpression", name, value: ".*" } : { name, value },
  );
}

function expressionsOf(expressions: Spec["regex_headers"]): object[] {
  return Object.entries(expressions).map(([name, value]) => ({
    type: "RegularExpression",
    name,
    value,
  }));
}

function filtersOf(spec: Spec): object[] {
  return [
    ...headerFilter("requestHeaderModifier", spec.add_request_headers, spec.remove_request_headers),
    ...headerFilter(
      "responseHeaderModifier",
      spec.add_response_headers,
      spec.remove_response_headers,
    ),
    ...(spec.host_redirect ? [redirectOf(spec)] : rewriteOf(spec)),
    ...corsOf(spec),
  ];
}

function headerFilter(
  field: "requestHeaderModifier" | "responseHeaderModifier",
  added: Spec["add_request_headers"],
  remove: readonly string[],
): object[] {
  const entries = Object.entries(added).map(([name, value]) =>
    typeof value === "string" ? { name, value, append: true } : { name, ...value },
  );
  const of = (isAdded: boolean) =>
    entries.filter(({ append }) => append === isAdded).map(({ name, value }) => ({ name, value }));
  const type = `${field[0]?.toUpperCase()}${field.slice(1)}`;
  return entries.length + remove.length === 0
    ? []
    : [{ type, [field]: { add: of(true), set: of(false), remove } }];
}

function redirectOf(spec: Spec): object {
  const { service, path_redirect, prefix_redirect, redirect_response_code } = spec;
  const [hostname, port] = service.replace(/^http:\/\//, "").split(":");
  const path =
    path_redirect === undefined
      ? prefix_redirect && { type: "ReplacePrefixMatch", replacePrefixMatch: prefix_redirect }
      : { type: "ReplaceFullPath", replaceFullPath: path_redirect };
  return {
    type: "RequestRedirect",
    requestRedirect: {
      hostname,
      ...(port && { port: Number(port) }),
      ...(path && { path }),
      statusCode: redirect_response_code ?? 301,
    },
  };
}

/** Emissary takes the prefix away unless it is told otherwise; `""` keeps it. */
function rewriteOf(spec: Spec): object[] {
  const { rewrite = "/", host_rewrite, prefix_regex, prefix_exact } = spec;
  const exact = { type: "ReplaceFullPath", replaceFullPath: rewrite };
  const prefix = { type: "ReplacePrefixMatch", replacePrefixMatch: rewrite };
  const path = rewrite === "" || prefix_regex ? undefined : prefix_exact ? exact : prefix;
  return path || host_rewrite
    ? [
        {
          type: "URLRewrite",
          urlRewrite: { ...(path && { path }), ...(host_rewrite && { hostname: host_rewrite }) },
        },
      ]
    : [];
}

function corsOf({ cors }: Spec): object[] {
  return cors
    ? [
        {
          type: "CORS",
          cors: {
            allowOrigins: cors.origins ?? ["*"],
            allowMethods: cors.methods ?? [],
            allowHeaders: cors.headers ?? [],
            exposeHeaders: cors.exposed_headers ?? [],
            allowCredentials: cors.credentials ?? false,
            ...(cors.max_age !== undefined && { maxAge: cors.max_age }),
          },
        },
      ]
    : [];
}
