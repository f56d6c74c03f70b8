import { parseAllDocuments } from "yaml";
import type { EnvoyConfig, EnvoyResource } from "../envoy/envoy-config.ts";
import { translate } from "../envoy/translate.ts";
import { buildModel } from "../model/build-model.ts";
import type { SocketPortOf } from "../model/gateways.ts";
import { type Condition, isBadNews, isRefused, type Verdict } from "../model/verdict.ts";
import { takeSnapshot } from "../snapshot/snapshot.ts";

/** Objects in, exact Envoy configuration out: what every test of a feature is made of. */
export interface Outcome {
  readonly config: EnvoyConfig;
  readonly verdicts: readonly Verdict[];
  /** `kind namespace/name: reason: message` of everything that is refused. */
  readonly refusals: readonly string[];
  listener(name?: string): EnvoyResource;
  /** The routes of one virtual host that rules were made into, each with what it need not say of tokens. */
  routes(hostname?: string): readonly RouteView[];
  hostnames(): readonly string[];
}

/** The parts of an Envoy route that tests look at. */
export interface RouteView {
  readonly name: string;
  readonly match: object;
  readonly route?: object;
  readonly direct_response?: object;
  readonly typed_per_filter_config: { readonly "envoy.filters.http.jwt_authn": object };
}

interface VirtualHostView {
  readonly name: string;
  readonly domains: readonly string[];
  readonly routes: readonly RouteView[];
}

export function given(...yaml: readonly string[]): Outcome {
  return outcomeOf(yaml);
}

/** The same where each Gateway has an address of its own. */
given.on =
  (socketPortOf: SocketPortOf) =>
  (...yaml: readonly string[]): Outcome =>
    outcomeOf(yaml, socketPortOf);

function outcomeOf(yaml: readonly string[], socketPortOf?: SocketPortOf): Outcome {
  return givenObjects(readYaml(...yaml), socketPortOf);
}

export function readYaml(...yaml: readonly string[]): unknown[] {
  return yaml
    .flatMap((text) => parseAllDocuments(text).map((document): unknown => document.toJS()))
    .filter((value) => value !== null);
}

export function givenObjects(values: readonly unknown[], socketPortOf?: SocketPortOf): Outcome {
  const objects = values.map((value, index) => ({ origin: `object ${index + 1}`, value }));
  const model = buildModel(takeSnapshot({ objects, problems: [] }, "portico"), socketPortOf);
  const config = translate(model, {
    host: "127.0.0.1",
    fileOf: (kind, name) => `/envoy/${kind}/${name}.json`,
  });
  const hosts = () => virtualHosts(only(config.routes));
  return {
    config,
    verdicts: model.verdicts,
    refusals: model.verdicts.filter(isRefused).map(describe),
    listener: (name) => (name ? named(config.listeners, name) : only(config.listeners)),
    routes: (hostname = "*") =>
      (hosts().find(({ name }) => name === hostname)?.routes ?? []).filter(
        ({ name }) => name !== "unmatched",
      ),
    hostnames: () => hosts().map(({ name }) => name),
  };
}

const JWT = "envoy.filters.http.jwt_authn";

export function virtualHosts(resource: EnvoyResource): readonly VirtualHostView[] {
  const { typed_per_filter_config: usual, virtual_hosts } = resource as unknown as {
    typed_per_filter_config: RouteView["typed_per_filter_config"];
    virtual_hosts: readonly VirtualHostView[];
  };
  return virtual_hosts.map((host) => ({
    ...host,
    routes: host.routes.map((route) => ({
      ...route,
      typed_per_filter_config: { [JWT]: usual[JWT], ...(route.typed_per_filter_config as object) },
    })),
  }));
}

/** Only what is asked for, so that a test says one thing. */
export function accessOf({ direct_response, typed_per_filter_config }: RouteView): string {
  const says = typed_per_filter_config[JWT];
  if (direct_response && "status" in direct_response && direct_response.status === 401) {
    return "refused";
  }
  if ("disabled" in says) {
    return "open";
  }
  const needed = "requirement_name" in says ? String(says.requirement_name) : "nothing";
  return needed === "claims" ? "token" : needed;
}

function describe({ object, conditions }: Verdict): string {
  // That it is not programmed follows from the others.
  const [bad] = conditions.filter(isBadNews).sort(programmedLast);
  return `${object.kind} ${object.namespace}/${object.name}: ${bad?.reason}: ${bad?.message}`;
}

function programmedLast(a: Condition, b: Condition): number {
  return Number(a.type === "Programmed") - Number(b.type === "Programmed");
}

function named<Value>(values: ReadonlyMap<string, Value>, name: string): Value {
  const value = values.get(name);
  if (value === undefined) {
    throw new Error(`There is no ${name}, only ${[...values.keys()].join(", ")}`);
  }
  return value;
}

function only<Value>(values: ReadonlyMap<string, Value>): Value {
  const [value, ...others] = values.values();
  if (value === undefined || others.length > 0) {
    throw new Error(`Expected one, got ${[...values.keys()].join(", ") || "none"}`);
  }
  return value;
}

export const GATEWAY_CLASS = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: portico }
spec: { controllerName: gateway.portico.dev/controller }
`;

export const GATEWAY = `
${GATEWAY_CLASS}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: portico }
spec:
  gatewayClassName: portico
  listeners: [{ name: http, port: 8080, protocol: HTTP }]
`;

/** Refuses whatever nothing opens, even without a JWTPolicy. */
export const CLOSED_GATEWAY = GATEWAY.replace(
  "metadata: { name: portico }\nspec:\n",
  "metadata: { name: portico, annotations: { gateway.portico.dev/access: deny } }\nspec:\n",
);

export const TOKENS = `
apiVersion: gateway.portico.dev/v1alpha1
kind: JWTPolicy
metadata: { name: access-tokens }
spec:
  targetRefs: [{ kind: Gateway, name: portico }]
  issuer: https://portico.example/auth
  audiences: [https://portico.example]
  jwks: { backendRef: { name: auth, port: 80 }, path: /auth/jwks }
---
${service("auth")}
`;

export function service(name: string, port = 8101, ready = true): string {
  return `
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { ports: [{ name: http, port: 80 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${name}, labels: { kubernetes.io/service-name: ${name} } }
addressType: IPv4
ports: [{ name: http, port: ${port} }]
endpoints: [{ addresses: [127.0.0.1], conditions: { ready: ${ready} } }]
`;
}

/** A Gateway with one listener on a port; without its class. */
export function gatewayOn(port: number, name = "portico", access = "allow"): string {
  return `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: ${name}, annotations: { gateway.portico.dev/access: ${access} } }
spec: { gatewayClassName: portico, listeners: [{ name: http, port: ${port}, protocol: HTTP }] }
`;
}

/** The spec of a JWTPolicy: an issuer's tokens on a Gateway. A Service has its keys. */
export function tokensOf(
  { issuer, audience }: { readonly issuer: string; readonly audience: string },
  gateway = "portico",
  keys = "keys",
): string {
  return `
targetRefs: [{ kind: Gateway, name: ${gateway} }]
issuer: ${issuer}
audiences: [${audience}]
jwks: { backendRef: { name: ${keys}, port: 80 }, path: /auth/jwks }`;
}

/** An HTTPRoute on the Gateway; `spec` is the rest of its spec, in YAML. */
export function route(name: string, spec: string): string {
  return `
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: ${name} }
spec:
  parentRefs: [{ name: portico }]
${spec.replace(/^/gm, "  ")}
`;
}

export function policy(name: string, spec: string, kind = "JWTPolicy"): string {
  return `
apiVersion: gateway.portico.dev/v1alpha1
kind: ${kind}
metadata: { name: ${name} }
spec:
${spec.replace(/^/gm, "  ")}
`;
}

/** One more rule in a list of them: everything below a path to a Service; `more` is the rest of it, in YAML. */
export function rule(path: string, backend: string, more = ""): string {
  return `\n  - matches: [{ path: { value: ${path} } }]\n    backendRefs: [{ name: ${backend}, port: 80 }]${more}`;
}

/** One more rule that policies can name, for everything below `/name`. */
export function namedRule(name: string, backend = "web"): string {
  return rule(`/${name}`, backend, `\n    name: ${name}`);
}
