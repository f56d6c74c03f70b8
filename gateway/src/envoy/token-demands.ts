import type { ClaimDemand, Demand } from "../model/model.ts";
import { extension, type Json, typed } from "./envoy-config.ts";
import { CLAIMS, FILTER as JWT_FILTER } from "./jwt-authn.ts";

/**
 * What a good token must have beside being good. jwt_authn leaves the claims as metadata, and RBAC
 * looks at them by value, without a regular expression or a line of Lua. A demand that is reported is a
 * shadow rule: it is counted, named in the access log, and refuses nothing.
 */
const FILTER = "envoy.filters.http.rbac.token";
const TYPES = "envoy.extensions.filters.http.rbac.v3";

/** What the names of rules end in, by which `local-replies.ts` knows why a request was refused. */
export const SCOPES = ":scopes";
export const CLAIM = ":claims";
const TOKEN = ":token";

/** Without rules it does nothing; they come with the route. */
export function tokenDemands(): Json {
  return extension(FILTER, `${TYPES}.RBAC`, { shadow_rules_stat_prefix: "reported_" });
}

export function demandsOnRoute(demands: readonly Demand[]): { readonly [filter: string]: Json } {
  if (demands.length === 0) {
    return {};
  }
  const rulesOf = (isReported: boolean) => {
    const policies = Object.fromEntries(
      demands.filter((demand) => demand.isReported === isReported).flatMap(rules),
    );
    return Object.keys(policies).length > 0 ? { action: "DENY", policies } : undefined;
  };
  const rbac = {
    rules: rulesOf(false),
    shadow_rules: rulesOf(true),
    shadow_rules_stat_prefix: "reported_",
    track_per_rule_stats: true,
  };
  return { [FILTER]: typed(`${TYPES}.RBACPerRoute`, { rbac }) };
}

function rules({ policy, isReported, scopes, claims }: Demand): [string, Json][] {
  const named: [string, Json[]][] = [
    [TOKEN, isReported ? [claim("iss", { present_match: true })] : []],
    [SCOPES, scopes.map((scope) => claim("scope", member({ string_match: { exact: scope } })))],
    [CLAIM, claims.map(claimDemand)],
  ];
  return named.flatMap(([suffix, ids]): [string, Json][] =>
    ids.length > 0 ? [[`${policy}${suffix}`, unless(ids)]] : [],
  );
}

function unless(ids: readonly Json[]): Json {
  return {
    permissions: [{ any: true }],
    principals: [{ not_id: { and_ids: { ids } } }],
  };
}

function claimDemand({ name, values }: ClaimDemand): Json {
  const value_matchers = values.flatMap((value) => [valueIs(value), member(valueIs(value))]);
  return claim(name, { or_match: { value_matchers } });
}

function valueIs(value: string | number | boolean): Json {
  if (typeof value === "boolean") {
    return { bool_match: value };
  }
  return typeof value === "number"
    ? { double_match: { exact: value } }
    : { string_match: { exact: value } };
}

function member(value: Json): Json {
  return { list_match: { one_of: value } };
}

function claim(name: string, value: Json): Json {
  const path = [CLAIMS, ...name.split(".")].map((key) => ({ key }));
  return { metadata: { filter: JWT_FILTER, path, value } };
}
