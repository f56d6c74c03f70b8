import type { Route } from "../model/model.ts";
import { type Json, typed } from "./envoy-config.ts";

/**
 * Routes whose requests have no end: gRPC, and WebSocket where a backend says that it speaks it. Their
 * bodies are not held back, and no timeout cuts them off unless their rule has one.
 */
export function isStreaming(route: Route): boolean {
  return route.isGrpc === true || isWebSocket(route);
}

function isWebSocket({ destinations }: Route): boolean {
  return destinations.some((destination) => destination.isWebSocket);
}

/** Not held back at all, or up to a size of the route's own. */
export function bodyOnRoute(route: Route): { readonly [filter: string]: Json } {
  const { maxRequestBytes } = route.traffic;
  const limit = maxRequestBytes !== undefined && { buffer: { max_request_bytes: maxRequestBytes } };
  const says = isStreaming(route) ? { disabled: true } : limit;
  const type = "envoy.extensions.filters.http.buffer.v3.BufferPerRoute";
  return says ? { "envoy.filters.http.buffer": typed(type, says) } : {};
}

const UPGRADE_TYPE = "websocket";

/** Nothing may be upgraded unless a route says so. */
export const noUpgrades: Json = [{ upgrade_type: UPGRADE_TYPE, enabled: false }];

export function upgrades(route: Route): { readonly [field: string]: Json } {
  return isWebSocket(route)
    ? { upgrade_configs: [{ upgrade_type: UPGRADE_TYPE, enabled: true }] }
    : {};
}
