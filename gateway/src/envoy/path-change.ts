import type { PathChange } from "../model/model.ts";
import type { RouteMatch } from "../snapshot/http-route.ts";
import type { Json } from "./envoy-config.ts";

/**
 * Replacement of a path, or of the prefix that a route matched, as the standard's table has it
 * (HTTPPathModifier): segments stay segments, and no slash is lost or doubled. The query stays.
 */
type Fields = { readonly [field: string]: Json };

export function rewrittenPath(change: PathChange, match: RouteMatch["path"]): Fields {
  return "full" in change
    ? { regex_rewrite: regexRewrite("^/.*$", absolute(change.full)) }
    : replacedPrefix(change.prefix, match);
}

export function redirectedPath(change: PathChange, match: RouteMatch["path"]): Fields {
  return "full" in change
    ? { path_redirect: absolute(change.full) }
    : replacedPrefix(change.prefix, match);
}

function replacedPrefix(replacement: string, { value }: RouteMatch["path"]): Fields {
  const matched = value.replace(/\/$/, "");
  const written = replacement.replace(/\/+$/, "");
  if (written === "") {
    return matched === "" ? {} : { regex_rewrite: regexRewrite(`^${escapeRegex(matched)}/*`, "/") };
  }
  // The prefix / is one character of a longer path, any other ends before a slash.
  return { prefix_rewrite: matched === "" ? `${absolute(written)}/` : absolute(written) };
}

function absolute(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}

function regexRewrite(regex: string, replacement: string): Json {
  return { pattern: { regex }, substitution: replacement.replaceAll("\\", "\\\\") };
}

export function escapeRegex(text: string): string {
  return text.replace(/[^\w/~-]/g, "\\$&");
}
