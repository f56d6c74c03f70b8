import fc from "fast-check";
import { expect, test } from "vitest";
import type { EnvoyConfig } from "../envoy/envoy-config.ts";
import { translate } from "../envoy/translate.ts";
import { createModelBuilder } from "../model/build-model.ts";
import { samePort } from "../model/gateways.ts";
import type { Model } from "../model/model.ts";
import { encodeResources } from "../publish/encoding.ts";
import type { SourceObject } from "../snapshot/object-source.ts";
import { takeSnapshot } from "../snapshot/snapshot.ts";
import {
  CLOSED_GATEWAY,
  GATEWAY,
  namedRule,
  policy,
  readYaml,
  route,
  rule,
  service,
  TOKENS,
} from "./given.ts";

/** Of a rebuild that does again only what has changed, the outcome is that of one from nothing. */

const WEB = route("web", `rules:${namedRule("login")}${namedRule("read")}`);
const ON_HOST = (name: string, hostname: string, backend: string) =>
  route(name, `hostnames: [${hostname}]\nrules:${rule("/", backend)}`);
const WEB_IN_OTHER = WEB.replaceAll("name: web, port: 80", "name: web, namespace: other, port: 80");
const ON_WEB = "targetRefs: [{ kind: HTTPRoute, name: web, sectionName: login }]";
const ON_GATEWAY = "targetRefs: [{ kind: Gateway, name: portico }]";
const LIMIT = "limits: [{ by: { type: ClientAddress }, requests: 5, per: Minute }]";

/** Each place has one of its versions, or nothing. */
const PLACES: readonly (readonly string[])[] = [
  [GATEWAY, CLOSED_GATEWAY, GATEWAY.replace("port: 8080", "port: 9090")],
  [TOKENS, TOKENS.replace("spec:\n", "spec:\n  mode: Report\n")],
  [service("web"), service("web", 8102), service("web", 8102, false)],
  [service("other"), service("other").replace("port: 80 }", "port: 81 }")],
  [
    `${service("annotated")}`,
    service("annotated").replace(
      "{ name: annotated }\nspec",
      "{ name: annotated, annotations: { gateway.portico.dev/route: /read } }\nspec",
    ),
  ],
  [WEB, WEB.replace("/read", "/write"), WEB_IN_OTHER, WEB.replace("port: 80", "port: none")],
  [ON_HOST("one", "one.example", "web"), ON_HOST("one", "'*.example'", "other")],
  [ON_HOST("two", "two.example", "other"), ON_HOST("two", "one.example", "web")],
  [policy("writers", `${ON_WEB}\nrequirement: Required\nscopes: [a]`)],
  [policy("open", `${ON_WEB}\nrequirement: None`)],
  [policy("closing", `${ON_WEB}\nrequirement: Requird`)],
  [
    policy("slow", `${ON_WEB}\n${LIMIT}`, "RateLimitPolicy"),
    policy("slow", `${ON_GATEWAY}\n${LIMIT}`, "RateLimitPolicy"),
  ],
  [policy("short", `${ON_GATEWAY}\ntimeouts: { request: 5s }`, "TrafficPolicy")],
  [
    policy(
      "busy",
      "targetRefs: [{ kind: Service, name: web }]\ncircuitBreaker: { maxConnections: 3 }",
      "TrafficPolicy",
    ),
  ],
  [
    "apiVersion: getambassador.io/v3alpha1\nkind: Mapping\nmetadata: { name: m }\nspec: { hostname: '*', prefix: /m/, service: web }",
  ],
  [
    `apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: { name: calls }
spec:
  parentRefs: [{ name: portico }]
  rules: [{ backendRefs: [{ name: web, port: 80 }] }]`,
  ],
];

/** Of a place, to one of its versions; one too many for those that there are is nothing. */
const changes = fc.array(
  fc
    .nat(PLACES.length - 1)
    .chain((place) =>
      fc.record({ place: fc.constant(place), version: fc.nat((PLACES[place] ?? []).length) }),
    ),
  { minLength: 1, maxLength: 12 },
);

const surroundings = {
  ...{ host: "127.0.0.1", trustedHops: 0 },
  fileOf: (kind: string, name: string) => `/envoy/${kind}/${name}`,
};

test("a rebuild > comes to what a build from nothing comes to, whatever has changed before it", () => {
  fc.assert(
    fc.property(fc.infiniteStream(fc.nat(9)), changes, (start, steps) => {
      const present = PLACES.map((versions) => readVersion(versions[start.next().value ?? 0]));
      const rebuild = createRebuild();
      expect(rebuild(present)).toEqual(createRebuild()(present));
      for (const { place, version } of steps) {
        present[place] = readVersion(PLACES[place]?.[version]);
        const [again, anew] = [rebuild(present), createRebuild()(present)];
        expect(again.model).toEqual(anew.model);
        expect(bytesOf(again.config)).toEqual(bytesOf(anew.config));
      }
    }),
    { numRuns: 60 },
  );
});

test("a rebuild > leaves what has not changed as the very same JavaScript objects", () => {
  const rebuild = createRebuild();
  const present = PLACES.map(([first]) => readVersion(first));
  const before = rebuild(present);
  present[6] = readVersion(PLACES[6]?.[1]);
  const after = rebuild(present);
  expect(after.model.backends[0]).toBe(before.model.backends[0]);
  const routes = ({ model }: typeof before) =>
    model.listeners.flatMap(({ servers }) =>
      servers.flatMap(({ hosts }) => hosts.flatMap((host) => host.routes)),
    );
  const known = new Set(routes(before));
  const fresh = routes(after).filter((one) => !known.has(one));
  expect(new Set(fresh.map(({ name }) => name))).toEqual(new Set(["portico/one/0"]));
});

function readVersion(yaml: string | undefined): readonly SourceObject[] {
  return yaml === undefined
    ? []
    : readYaml(yaml).map((value, index) => ({ origin: `${index}`, value }));
}

function createRebuild() {
  const build = createModelBuilder(samePort, true);
  let snapshot: ReturnType<typeof takeSnapshot> | undefined;
  return (places: readonly (readonly SourceObject[])[]): { model: Model; config: EnvoyConfig } => {
    const listing = { objects: places.flat(), problems: [] };
    snapshot = takeSnapshot(listing, "portico", snapshot);
    const model = build(snapshot);
    return { model, config: translate(model, surroundings) };
  };
}

function bytesOf(config: EnvoyConfig): string[] {
  return (["listeners", "routes", "clusters"] as const).flatMap((kind) =>
    [...config[kind].values()].map((resource) =>
      Buffer.from(encodeResources(kind, [resource]).content).toString("latin1"),
    ),
  );
}
