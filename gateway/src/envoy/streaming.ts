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

export function streamingOnRoute(route: Route): { readonly [filter: string]: Json } {
  return isStreaming(route)
    ? {
        "envoy.filters.http.buffer": typed(
          "envoy.extensions.filters.http.buffer.v3.BufferPerRoute",
          { disabled: true },
        ),
      }
    : {};
}

const UPGRADE_TYPE = "websocket";

/** Nothing may be upgraded unless a route says so. */
export const noUpgrades: Json = [{ upgrade_type: UPGRADE_TYPE, enabled: false }];

export function upgrades(route: Route): { readonly [field: string]: Json } {
  return isWebSocket(route)
    ? { upgrade_configs: [{ upgrade_type: UPGRADE_TYPE, enabled: true }] }
    : {};
}
