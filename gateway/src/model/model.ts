import type { RouteMatch } from "../snapshot/http-route.ts";
import type { ObjectRef } from "../snapshot/metadata.ts";
import type { Verdict } from "./verdict.ts";

/**
 * What the gateway shall do, in words that neither Kubernetes nor Envoy owns: listeners with hosts,
 * hosts with routes in the order in which they are tried, backends with endpoints.
 */
export interface Model {
  readonly listeners: readonly Listener[];
  readonly backends: readonly Backend[];
  readonly secrets: readonly TlsSecret[];
  readonly verdicts: readonly Verdict[];
}

/** One port of one Gateway. */
export interface Listener {
  readonly name: string;
  readonly gateway: Omit<ObjectRef, "kind">;
  /** The port that clients see. */
  readonly port: number;
  /** The port that is bound; another one where Gateways share an address. */
  readonly socketPort: number;
  /** Whose tokens open a route with access `token`. Without one nothing is let in. */
  readonly tokenIssuer?: TokenIssuer;
  /** Who learns that a path has no route; and what most routes ask for. */
  readonly unmatched: Access;
  /** One without TLS, or one for each TLS name. */
  readonly servers: readonly Server[];
}

/** Hosts behind one certificate, or behind none. */
export interface Server {
  readonly name: string;
  readonly tls?: ServerTls;
  readonly hosts: readonly Host[];
}

export interface ServerTls {
  /** The TLS name (SNI) that clients ask for; `*` is any other. */
  readonly hostname: string;
  /** Names of secrets. */
  readonly certificates: readonly string[];
  readonly clients?: ClientValidation;
}

/** Of the certificates that clients show. */
export interface ClientValidation {
  /** Name of a secret. */
  readonly trust: string;
  /** False: whoever shows none, or a bad one, is let in all the same. */
  readonly isRequired: boolean;
}

/** What is needed to prove a name, or to verify one. */
export type TlsSecret = { readonly name: string } & (
  | { readonly certificateChain: string; readonly privateKey: string }
  | { readonly trustedCertificates: string }
);

export interface Host {
  /** `*`, `*.example.com` or `example.com`. */
  readonly hostname: string;
  readonly routes: readonly Route[];
  /** Belongs to another TLS name (RFC 9110, section 15.5.20): nothing is served here. */
  readonly isMisdirected?: true;
}

/**
 * `open` asks for nothing, `optional` neither, but looks at a token that is there; `token` asks for one
 * of the listener's issuer, `refused` lets nobody in.
 */
export type Access = "open" | "optional" | "token" | "refused";

export interface Route extends RuleActions, RulePolicies {
  /** `namespace/httproute/rule`, for logs and metrics. */
  readonly name: string;
  readonly match: RouteMatch;
  readonly isGrpc?: true;
}

/** What policies make of a rule on one Gateway. */
export interface RulePolicies {
  readonly access: Access;
  /** What a token must have beside being good. */
  readonly demands: readonly Demand[];
  /** All of them are kept. */
  readonly rateLimits: readonly RateLimit[];
  readonly traffic: RouteTraffic;
}

/** What a route's own rule does not say. Absent: the gateway's default. */
export interface RouteTraffic {
  readonly requestMs?: number;
  readonly backendRequestMs?: number;
  readonly idleMs?: number;
  readonly maxRequestBytes?: number;
  readonly compression?: {
    readonly algorithms: readonly ("gzip" | "brotli" | "zstd")[];
  };
}

/** How much of a backend is asked at once, and when one of its endpoints is left alone. */
export interface BackendTraffic {
  readonly maxConnections?: number;
  readonly maxPendingRequests?: number;
  readonly maxParallelRequests?: number;
  readonly maxRetries?: number;
  readonly retryBudget?: { readonly percent: number; readonly minRetries: number };
  readonly outliers?: {
    readonly consecutiveErrors: number;
    readonly intervalMs: number;
    readonly ejectionMs: number;
    readonly maxEjectedPercent: number;
    readonly isReported: boolean;
  };
}

/** So many requests of one caller in so much time. */
export interface RateLimit {
  /** `namespace/policy/place`; rules with a limit of one name share it. */
  readonly name: string;
  readonly by: {
    readonly type: "ClientAddress" | "Claim" | "Header" | "Everyone";
    /** Of the claim or header. */
    readonly name?: string;
  };
  readonly requests: number;
  readonly perMs: number;
  readonly burst: number;
  /** Counted where it is not kept, and let through. */
  readonly isReported: boolean;
  /** Kept by all Envoys together; else by each for itself. */
  readonly isShared: boolean;
}

/** What a rule does with a request that it matches. */
export interface RuleActions {
  readonly timeouts: Timeouts;
  readonly destinations: readonly Destination[];
  /** The rule asks for something that is not carried out: its requests are answered with 500. */
  readonly isUnsupported?: true;
  readonly requestHeaders?: HeaderChanges;
  readonly responseHeaders?: HeaderChanges;
  readonly redirect?: Redirect;
  readonly rewrite?: Rewrite;
  readonly mirrors?: readonly Mirror[];
  readonly cors?: Cors;
  readonly retry?: Retry;
}

/** Absent: the gateway's default. 0: without limit. */
export interface Timeouts {
  readonly requestMs?: number;
  readonly backendRequestMs?: number;
}

export interface HeaderChanges {
  readonly set: readonly Header[];
  readonly add: readonly Header[];
  readonly remove: readonly string[];
}

export interface Header {
  readonly name: string;
  readonly value: string;
}

export interface Redirect {
  readonly scheme?: "http" | "https";
  readonly hostname?: string;
  /** Absent: none is written. */
  readonly port?: number;
  readonly path?: PathChange;
  readonly status: 301 | 302 | 303 | 307 | 308;
}

export interface Rewrite {
  readonly hostname?: string;
  readonly path?: PathChange;
}

/** The whole path becomes `full`, or its matched prefix `prefix`. */
export type PathChange = { readonly full: string } | { readonly prefix: string };

/** A copy whose answer nobody sees, for this share of the requests. */
export interface Mirror {
  readonly backend: string;
  readonly share: number;
}

export interface Cors {
  /** `*`, or origins in which `*` stands for any number of labels. */
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  readonly headers: readonly string[];
  readonly exposedHeaders: readonly string[];
  readonly allowsCredentials: boolean;
  readonly maxAgeSeconds: number;
}

/** Of a rule that says itself what is tried again. */
export interface Retry {
  readonly codes: readonly number[];
  /** Beyond the first. Absent: the gateway's default. */
  readonly attempts?: number;
  readonly backoffMs?: number;
}

export interface Destination {
  /** Absent: the reference is broken, and its share of requests is answered with 500. */
  readonly backend?: string;
  readonly weight: number;
  readonly requestHeaders?: HeaderChanges;
  readonly responseHeaders?: HeaderChanges;
  /** The backend says that it speaks WebSocket. */
  readonly isWebSocket?: true;
}

export interface Backend {
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
  /** Absent: HTTP/1.1. */
  readonly protocol?: "http2";
  readonly tls?: BackendTls;
  readonly traffic?: BackendTraffic;
}

/** How a backend proves its name, and the gateway its own. */
export interface BackendTls {
  /** Sent as SNI, and verified unless there are other names. */
  readonly hostname: string;
  /** Name of a secret. */
  readonly trust: string;
  readonly subjectAltNames: readonly { readonly type: "dns" | "uri"; readonly value: string }[];
  /** Name of a secret. */
  readonly clientCertificate?: string;
}

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Whose tokens are good on a listener: those of any of these. */
export interface TokenIssuer {
  readonly providers: readonly TokenProvider[];
}

export interface TokenProvider {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly jwks: { readonly backend: string; readonly url: string };
  /** Cookies that a browser's token may be in. */
  readonly cookies: readonly string[];
  /** Claims that a service gets as headers. */
  readonly claimsToHeaders: readonly { readonly claim: string; readonly header: string }[];
}

/** What one policy asks of a token. Reported: counted where it is not met, and let through. */
export interface Demand {
  /** `namespace/name` of the policy. */
  readonly policy: string;
  readonly isReported: boolean;
  /** All of these in `scope`. */
  readonly scopes: readonly string[];
  /** Each of these with one of its values. */
  readonly claims: readonly ClaimDemand[];
}

export interface ClaimDemand {
  /** `realm_access.roles` */
  readonly name: string;
  readonly values: readonly (string | number | boolean)[];
}
