import { expect, test } from "vitest";
import { buildModel } from "../model/build-model.ts";
import { samePort } from "../model/gateways.ts";
import { takeSnapshot } from "../snapshot/snapshot.ts";
import { GATEWAY, given, policy, readYaml, route, service, TOKENS, virtualHosts } from "./given.ts";

/** RateLimitPolicy in, buckets and descriptors out. */

const ROUTE = route(
  "web",
  `
rules:
  - name: login
    matches: [{ path: { value: /login } }]
    backendRefs: [{ name: web, port: 80 }]
  - name: rest
    backendRefs: [{ name: web, port: 80 }]`,
);
const base = [GATEWAY, TOKENS, service("web"), ROUTE];
const limits = (name: string, target: string, spec: string) =>
  policy(name, `targetRefs: [${target}]\n${spec}`, "RateLimitPolicy");
const LOGIN = "{ kind: HTTPRoute, name: web, sectionName: login }";
const BY_ADDRESS =
  "limits: [{ by: { type: ClientAddress }, requests: 60, per: Minute, burst: 20 }]";

const FILTER = "envoy.filters.http.local_ratelimit";
const DISABLED = {
  "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig",
  disabled: true,
};
const configuration = (...yaml: string[]) => {
  const [resource] = given(...base, ...yaml).config.routes.values();
  if (!resource) {
    throw new Error("There is no route configuration");
  }
  return resource;
};

test("a limit > is a bucket of the route configuration, and a descriptor of the routes that it is for", () => {
  const resource = configuration(limits("guesses", LOGIN, BY_ADDRESS));
  expect(resource.typed_per_filter_config).toMatchObject({
    [FILTER]: {
      "@type":
        "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
      stat_prefix: "early",
      stage: 0,
      token_bucket: {
        max_tokens: 4294967295,
        tokens_per_fill: 4294967295,
        fill_interval: "1s",
      },
      filter_enabled: { default_value: { numerator: 100, denominator: "HUNDRED" } },
      filter_enforced: { default_value: { numerator: 100, denominator: "HUNDRED" } },
      max_dynamic_descriptors: 20000,
      descriptors: [
        {
          entries: [{ key: "limit", value: "portico/guesses/0" }, { key: "masked_remote_address" }],
          token_bucket: { max_tokens: 20, tokens_per_fill: 60, fill_interval: "60s" },
        },
      ],
    },
  });
  const [host] = virtualHosts(resource);
  const routes = host?.routes ?? [];
  expect(routes.find(({ name }) => name === "portico/web/login")).toMatchObject({
    metadata: { filter_metadata: { "dev.portico.gateway": { retryAfter: "1" } } },
    route: {
      rate_limits: [
        {
          stage: 0,
          x_ratelimit_option: "DRAFT_VERSION_03",
          actions: [
            { generic_key: { descriptor_key: "limit", descriptor_value: "portico/guesses/0" } },
            { masked_remote_address: { v4_prefix_mask_len: 32, v6_prefix_mask_len: 64 } },
          ],
        },
      ],
    },
  });
  const awake = routes.filter(
    ({ typed_per_filter_config }) => !(FILTER in typed_per_filter_config),
  );
  expect(awake.map(({ name }) => name)).toEqual(["portico/web/login"]);
  expect(routes.at(-1)?.typed_per_filter_config).toMatchObject({ [FILTER]: DISABLED });
});

const descriptors = (name: string, ...yaml: string[]) =>
  given(...base, ...yaml)
    .routes()
    .filter((one) => one.name === `portico/web/${name}`)
    .flatMap(({ route }) => (route as { rate_limits?: { actions: object[] }[] }).rate_limits ?? [])
    .map(({ actions }) => JSON.stringify(actions[0]).match(/portico\/[^"]*/)?.[0]);

test("limits > of a rule, its route and its Gateway are all kept", () => {
  const all = [
    limits("gate", "{ kind: Gateway, name: portico }", BY_ADDRESS),
    limits("route", "{ kind: HTTPRoute, name: web }", BY_ADDRESS),
    limits("rule", LOGIN, BY_ADDRESS),
  ];
  expect(descriptors("login", ...all)).toEqual([
    "portico/gate/0",
    "portico/route/0",
    "portico/rule/0",
  ]);
  expect(descriptors("rest", ...all)).toEqual(["portico/gate/0", "portico/route/0"]);
});

const SHARED =
  "limits: [{ by: { type: ClientAddress }, requests: 60, per: Minute, burst: 20, scope: Shared }]";
const ASKED = "envoy.filters.http.ratelimit";

test("a shared limit > is asked of the controller by its route alone, behind a bucket that is a little wider", () => {
  const resource = configuration(limits("guesses", LOGIN, SHARED));
  expect(resource.typed_per_filter_config).toMatchObject({
    [FILTER]: {
      descriptors: [
        { token_bucket: { max_tokens: 21, tokens_per_fill: 60, fill_interval: "60s" } },
      ],
    },
  });
  const routes = virtualHosts(resource)[0]?.routes ?? [];
  const asking = routes.filter(({ typed_per_filter_config }) => ASKED in typed_per_filter_config);
  expect(asking.map(({ name }) => name)).toEqual(["portico/web/login"]);
  expect(asking[0]?.typed_per_filter_config).toMatchObject({
    [ASKED]: {
      rate_limits: [
        {
          actions: [
            { generic_key: { descriptor_key: "limit", descriptor_value: "portico/guesses/0" } },
            {
              generic_key: {
                descriptor_key: "rate",
                descriptor_value: "60 per 60000 ms, burst 20",
              },
            },
            { masked_remote_address: { v4_prefix_mask_len: 32, v6_prefix_mask_len: 64 } },
          ],
        },
      ],
    },
  });
  // The controller says what is left; one of two figures would be wrong.
  expect(JSON.stringify(asking[0]?.route)).not.toContain("x_ratelimit_option");
});

test("a shared limit in report mode > has no bucket of its own, which could only refuse", () => {
  const resource = configuration(limits("trial", LOGIN, `${SHARED}\nmode: Report`));
  expect(resource).not.toHaveProperty(["typed_per_filter_config", FILTER]);
  expect(JSON.stringify(resource)).toContain('"descriptor_key":"reported-rate"');
});

test("a shared limit without a Redis > is kept by each replica for itself, and its policy says so", () => {
  const objects = readYaml(...base, limits("guesses", LOGIN, SHARED));
  const listing = { objects: objects.map((value) => ({ origin: "here", value })), problems: [] };
  const model = buildModel(takeSnapshot(listing, "portico"), samePort, false);
  const [route] = model.listeners[0]?.servers[0]?.hosts[0]?.routes ?? [];
  expect(route?.rateLimits).toMatchObject([{ name: "portico/guesses/0", isShared: false }]);
  const verdict = model.verdicts.find(({ object }) => object.kind === "RateLimitPolicy");
  expect(verdict?.conditions).toMatchObject([
    { type: "Accepted", status: "True", message: expect.stringContaining("GATEWAY_REDIS_URL") },
  ]);
});

test("a limit on a path > is not walked around by its other spellings", () => {
  const names = given(
    ...base,
    limits("guesses", LOGIN, BY_ADDRESS),
    policy("open", "targetRefs: [{ kind: HTTPRoute, name: web }]\nrequirement: None"),
  )
    .routes()
    .map(({ name }) => name);
  expect(names).toEqual([
    "portico/web/login",
    "portico/web/login/other-spelling",
    "portico/web/rest",
  ]);
});

test("without a limit > nothing is added to routes or their configuration", () => {
  expect(configuration().typed_per_filter_config).not.toHaveProperty([FILTER]);
});

test.each([
  ["{ kind: HTTPRoute, name: gone }", BY_ADDRESS, "there is no HTTPRoute portico/gone"],
  [
    "{ kind: HTTPRoute, name: web, sectionName: gone }",
    BY_ADDRESS,
    "HTTPRoute portico/web has no rule named gone",
  ],
  [
    LOGIN,
    "limits: [{ by: { type: Claim }, requests: 1, per: Hour }]",
    "limits[0].by.name: is needed",
  ],
  [LOGIN, "limits: []", "spec.limits"],
])("a policy for %s with %s > says what is wrong", (target, spec, message) => {
  const { refusals } = given(...base, limits("bad", target, spec));
  expect(refusals).toEqual([expect.stringContaining(message)]);
});

test("limits by address and by claim on one route > tell the client what is left once: by the last of them", () => {
  const both = `limits:
  - { by: { type: ClientAddress }, requests: 60, per: Minute }
  - { by: { type: Claim, name: sub }, requests: 5, per: Minute }`;
  const [host] = virtualHosts(configuration(limits("both", LOGIN, both)));
  const route = host?.routes.find(({ name }) => name === "portico/web/login");
  expect(route?.route).toMatchObject({
    rate_limits: [
      expect.not.objectContaining({ x_ratelimit_option: expect.anything() }),
      { stage: 1, x_ratelimit_option: "DRAFT_VERSION_03" },
    ],
  });
});
