import type { RouteMatch } from "../snapshot/gateway-api.ts";
import type { Verdict } from "./verdict.ts";

/**
 * What the gateway shall do, in words that neither Kubernetes nor Envoy owns: listeners with hosts,
 * hosts with routes in the order in which they are tried, backends with endpoints.
 */
export interface Model {
  readonly listeners: readonly Listener[];
  readonly backends: readonly Backend[];
  readonly verdicts: readonly Verdict[];
}

export interface Listener {
  readonly name: string;
  readonly port: number;
  /** Whose tokens open a route with access `token`. Without one nothing is let in. */
  readonly tokenIssuer?: TokenIssuer;
  readonly hosts: readonly Host[];
}

export interface Host {
  /** `*`, `*.example.com` or `example.com`. */
  readonly hostname: string;
  readonly routes: readonly Route[];
  /** Who learns that a path has no route. */
  readonly unmatched: Access;
}

/** `open` asks for nothing, `token` for one of the listener's issuer, `refused` lets nobody in. */
export type Access = "open" | "token" | "refused";

export interface Route {
  /** `namespace/httproute/rule`, for logs and metrics. */
  readonly name: string;
  readonly match: RouteMatch;
  readonly access: Access;
  readonly timeouts: Timeouts;
  readonly destinations: readonly Destination[];
}

/** Absent: the gateway's default. 0: without limit. */
export interface Timeouts {
  readonly requestMs?: number;
  readonly backendRequestMs?: number;
}

export interface Destination {
  /** Absent: the reference is broken, and its share of requests is answered with 500. */
  readonly backend?: string;
  readonly weight: number;
}

export interface Backend {
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
}

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface TokenIssuer {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly jwks: { readonly backend: string; readonly url: string };
  /** Cookies that a browser's token may be in. */
  readonly cookies: readonly string[];
}
