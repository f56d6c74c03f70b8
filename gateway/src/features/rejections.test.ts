import fc from "fast-check";
import { expect, test } from "vitest";
import { translate } from "../envoy/translate.ts";
import { buildModel } from "../model/build-model.ts";
import { takeSnapshot } from "../snapshot/snapshot.ts";
import { GATEWAY, given, givenObjects, policy, readYaml, route, service, TOKENS } from "./given.ts";

const GOOD = route(
  "good",
  "rules: [{ matches: [{ path: { value: /good } }], backendRefs: [{ name: auth, port: 80 }] }]",
);

test.each([
  ["no object at all", "just text", "the object:"],
  ["no kind", "apiVersion: v1\nmetadata: { name: x }", "kind:"],
  ["no name", "apiVersion: v1\nkind: Service\nmetadata: {}", "metadata.name:"],
  [
    "an unknown kind",
    "apiVersion: v1\nkind: HTTPRout\nmetadata: { name: x }",
    "v1 HTTPRout is not a kind that this gateway reads",
  ],
  [
    "an unknown version",
    "apiVersion: gateway.networking.k8s.io/v9\nkind: HTTPRoute\nmetadata: { name: x }",
    "gateway.networking.k8s.io/v9 HTTPRoute is not a kind",
  ],
  ["a second definition", GOOD, "is defined in object 6 already"],
  ["a wrong type", route("x", "rules: all"), "spec.rules:"],
  [
    "a number out of range",
    route("x", "rules: [{ backendRefs: [{ name: a, port: 0 }] }]"),
    "spec.rules[0].backendRefs[0].port:",
  ],
  [
    "a name too long for a file",
    service("x".repeat(64)).split("---")[0] ?? "",
    "metadata.name: is longer than 63 characters",
  ],
  [
    "an endpoint that is no address",
    service("x")
      .replace("127.0.0.1", "10.0.0.256")
      .slice(service("x").indexOf("---") + 4),
    "endpoints[0].addresses: 10.0.0.256 is not an IP address",
  ],
  [
    "two rules of one name",
    route("x", "rules: [{ name: a }, { name: a }]"),
    "spec.rules: have the same name twice",
  ],
])("rejections > %s is refused alone, with a reason", (_what, yaml, message) => {
  const { refusals, routes } = given(GATEWAY, TOKENS, GOOD, yaml);
  expect(refusals).toEqual([expect.stringContaining(message)]);
  expect(routes().map(({ name }) => name)).toEqual(["portico/good/0"]);
});

const POLICIES: [string, string, string[]][] = [
  ["a route", "targetRefs: [{ kind: HTTPRoute, name: good }]", ["HTTPRoute portico/good"]],
  [
    "two, one of them twice",
    "targetRefs: [{ kind: HTTPRoute, name: good }, { kind: Service, name: auth }, { kind: Service, name: auth }]",
    ["HTTPRoute portico/good", "Service portico/auth"],
  ],
  ["what no policy can be for", "targetRefs: [{ kind: Pod, name: good }]", ["nobody"]],
  ["nothing", "", ["nobody"]],
];
test.each(POLICIES)("rejections > a policy for %s is told so", (_what, targets, parents) => {
  const { verdicts } = given(
    GATEWAY,
    TOKENS,
    GOOD,
    policy("odd", `requirement: Never\n${targets}`),
  );
  const told = verdicts.filter(({ object }) => object.name === "odd");
  expect(
    told.map(({ parent }) =>
      parent ? `${parent.kind} ${parent.namespace}/${parent.name}` : "nobody",
    ),
  ).toEqual(parents);
  for (const { conditions } of told) {
    expect(conditions).toEqual([
      expect.objectContaining({ type: "Accepted", status: "False", reason: "Invalid" }),
    ]);
    expect(conditions[0]?.message).toContain("spec.requirement");
  }
});

const objects = [
  ...[GATEWAY, TOKENS, GOOD, service("posts")],
  route("b", "rules: [{ backendRefs: [{ name: posts, port: 80 }, { name: auth, port: 80 }] }]"),
  policy("open", "targetRefs: [{ kind: HTTPRoute, name: b }]\nrequirement: None"),
  policy("closed", "targetRefs: [{ kind: HTTPRoute, name: b }]\nrequirement: Required"),
].flatMap((text) => text.split("\n---\n"));

const bytes = (texts: readonly string[]) =>
  JSON.stringify(Object.values(given(...texts).config).map((resources) => [...resources]));

test("rejections > the order of the objects changes no byte of the configuration", () => {
  const expected = bytes(objects);
  fc.assert(
    fc.property(fc.shuffledSubarray(objects, { minLength: objects.length }), (shuffled) => {
      expect(bytes(shuffled)).toBe(expected);
    }),
    { numRuns: 50 },
  );
});

test("rejections > no object, however odd, takes a good route away or stops the rebuild", () => {
  const kind = fc.constantFrom(
    "gateway.networking.k8s.io/v1 Gateway",
    "gateway.networking.k8s.io/v1 ListenerSet",
    "gateway.networking.k8s.io/v1 HTTPRoute",
    "gateway.networking.k8s.io/v1 GRPCRoute",
    "gateway.networking.k8s.io/v1 BackendTLSPolicy",
    "gateway.networking.k8s.io/v1 ReferenceGrant",
    "gateway.portico.dev/v1alpha1 JWTPolicy",
    "v1 Service",
    "v1 Namespace",
    "v1 Secret",
    "v1 ConfigMap",
    "discovery.k8s.io/v1 EndpointSlice",
  );
  const odd = fc.tuple(kind, fc.jsonValue(), fc.jsonValue()).map(([name, spec, metadata]) => {
    const [apiVersion, kind] = name.split(" ");
    return { apiVersion, kind, metadata: { name: "odd", labels: metadata }, spec };
  });
  const good = readYaml(GATEWAY, TOKENS, GOOD);
  const base = givenObjects(good);
  fc.assert(
    fc.property(odd, (object) => {
      const listing = { objects: [{ origin: "odd", value: object }], problems: [] };
      expect(() =>
        translate(buildModel(takeSnapshot(listing, "portico")), {
          host: "127.0.0.1",
          fileOf: () => "",
        }),
      ).not.toThrow();
      const { routes } = givenObjects([...good, object]);
      expect(routes()).toEqual(expect.arrayContaining([...base.routes()]));
    }),
    { numRuns: 200 },
  );
});
