import { RE2JS } from "re2js";
import type { Route } from "../model/model.ts";
import type { Request } from "./request.ts";

/** Why a route does not match a request; nothing when it does. */
export function whyNot({ match, isGrpc }: Route, request: Request): string | undefined {
  const { path, method, headers, queryParams } = match;
  if (!isPathOf(path, request.path)) {
    return `its path is ${path.type} ${path.value}`;
  }
  if (method !== undefined && method !== request.method) {
    return `its method is ${method}`;
  }
  if (isGrpc && !request.headers.get("content-type")?.startsWith("application/grpc")) {
    return "it takes gRPC only";
  }
  const header = headers.find((one) => !fits(one, request.headers.get(one.name.toLowerCase())));
  if (header) {
    return `it wants the header ${header.name} to be ${header.value}`;
  }
  const parameter = queryParams.find((one) => !fits(one, request.query.get(one.name) ?? undefined));
  return parameter && `it wants the query parameter ${parameter.name} to be ${parameter.value}`;
}

export function isPathOf({ type, value }: Route["match"]["path"], path: string): boolean {
  if (type === "RegularExpression") {
    return RE2JS.matches(value, path);
  }
  const prefix = value.replace(/\/$/, "");
  return type === "Exact" ? path === value : path === prefix || path.startsWith(`${prefix}/`);
}

function fits(
  { type, value }: { readonly type: string; readonly value: string },
  actual: string | undefined,
): boolean {
  if (actual === undefined) {
    return false;
  }
  return type === "Exact" ? actual === value : RE2JS.matches(value, actual);
}
