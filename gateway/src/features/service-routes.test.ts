import { expect, test } from "vitest";
import { accessOf, CLOSED_GATEWAY, GATEWAY, given, route, service, TOKENS } from "./given.ts";

/** A Service with one annotation in; the route that an HTTPRoute of one prefix would be. */

const annotated = (name: string, annotations: Readonly<Record<string, string>>, more = "") => {
  const lines = Object.entries(annotations).map(
    ([key, value]) => `    gateway.portico.dev/${key}: ${JSON.stringify(value)}`,
  );
  return service(name).replace(
    `metadata: { name: ${name} }`,
    `metadata:\n  name: ${name}\n${more}  annotations:\n${lines.join("\n")}`,
  );
};
const base = [CLOSED_GATEWAY, TOKENS, service("web")];
const names = (outcome: ReturnType<typeof given>, hostname?: string) =>
  outcome.routes(hostname).map(({ name }) => name);

test("a Service with a path > has a route that asks for a token, with the path as it came", () => {
  const outcome = given(...base, annotated("things", { route: "/things" }));
  const [only] = outcome.routes();
  expect(only).toMatchObject({
    name: "portico/things/annotation",
    match: { path_separated_prefix: "/things" },
    route: { cluster: "portico_things_80" },
  });
  expect(JSON.stringify(only?.route)).not.toMatch(/rewrite/);
  expect(only && accessOf(only)).toBe("token");
  expect(outcome.refusals).toEqual([]);
  expect(outcome.verdicts).toContainEqual(
    expect.objectContaining({
      object: { kind: "Service", namespace: "portico", name: "things" },
      parent: { kind: "Gateway", namespace: "portico", name: "portico" },
    }),
  );
});

test("a Service without the annotation > has no route and no verdict", () => {
  const outcome = given(...base);
  expect(names(outcome)).toEqual([]);
  expect(outcome.verdicts.filter(({ object }) => object.kind === "Service")).toEqual([]);
});

test("a hostname and several paths > are one route on that host alone", () => {
  const outcome = given(
    ...base,
    annotated("things", { route: "api.example.org/things, api.example.org/parts/" }),
  );
  expect(outcome.routes("api.example.org").map(({ match }) => match)).toEqual([
    { path_separated_prefix: "/things" },
    { path_separated_prefix: "/parts" },
  ]);
  expect(names(outcome)).toEqual([]);
});

test("the port > is the first, or the one that is named", () => {
  const ports = (yaml: string) =>
    yaml.replace(
      "{ ports: [{ name: http, port: 80 }] }",
      "{ ports: [{ port: 9, name: a }, { port: 80, name: http }] }",
    );
  for (const [annotations, cluster] of [
    [{ route: "/a" }, "portico_things_9"],
    [{ route: "/a", port: "http" }, "portico_things_80"],
    [{ route: "/a", port: "80" }, "portico_things_80"],
  ] as const) {
    const outcome = given(...base, ports(annotated("things", annotations)));
    expect(outcome.routes()[0]?.route).toMatchObject({ cluster });
  }
});

const ELSEWHERE = GATEWAY.replace(
  "metadata: { name: portico }\nspec:\n  gatewayClassName",
  "metadata: { name: edge, namespace: infra }\nspec:\n  gatewayClassName",
);
const ANYBODY = ELSEWHERE.replace(
  "protocol: HTTP }",
  "protocol: HTTP, allowedRoutes: { namespaces: { from: All } } }",
);

test("a Gateway in another namespace > is named by a second annotation, and decides who may come", () => {
  const things = annotated("things", { route: "/things", gateway: "infra/edge" });
  expect(names(given(ANYBODY, things))).toEqual(["portico/things/annotation"]);
  expect(given(ELSEWHERE, things).refusals).toEqual([
    expect.stringMatching(/^Service portico\/things: NotAllowedByListeners: .* namespace portico/),
  ]);
  expect(given(ANYBODY, annotated("things", { route: "/things" })).refusals).toEqual([
    expect.stringMatching(/NoMatchingParent: there is no Gateway in namespace portico; name one/),
  ]);
});

test.each([
  [{ route: "things" }, "InvalidAnnotation", '"things" is not a path such as /things'],
  [{ route: "" }, "InvalidAnnotation", '"" is not a path'],
  [{ route: "/a/../b" }, "InvalidAnnotation", "has //, a dot segment"],
  [{ route: "API.example/b" }, "InvalidAnnotation", "is not a hostname"],
  [{ route: "a.example/a,b.example/b" }, "InvalidAnnotation", "names several hostnames"],
  [{ route: "/a", gateway: "edge" }, "NoMatchingParent", "Gateway portico/edge of the annotation"],
  [{ route: "/a", port: "grpc" }, "BackendNotFound", "has no port grpc"],
  [{ route: "/web" }, "Conflicted", "HTTPRoute portico/web has /web already"],
  [{ route: "/web/" }, "Conflicted", "HTTPRoute portico/web has /web already"],
  [{ route: "/other" }, "Conflicted", "Service portico/other has /other already"],
])(
  "an annotation %j > says what is wrong (%s), and disturbs no other",
  (annotations, reason, message) => {
    const good = [
      ...base,
      route(
        "web",
        "rules: [{ matches: [{ path: { value: /web } }], backendRefs: [{ name: web, port: 80 }] }]",
      ),
      annotated("other", { route: "/other" }),
    ];
    const without = given(...good);
    const outcome = given(...good, annotated("things", annotations));
    expect(outcome.refusals).toEqual([
      expect.stringContaining(`Service portico/things: ${reason}: `),
    ]);
    expect(outcome.refusals[0]).toContain(message);
    expect(outcome.config.routes).toEqual(without.config.routes);
    expect(outcome.config.clusters).toEqual(without.config.clusters);
  },
);

test("an older Service > takes nothing from an HTTPRoute that was there without a hostname", () => {
  const old = "  creationTimestamp: 2020-01-01T00:00:00Z\n";
  const outcome = given(
    ...base,
    route("web", "hostnames: [a.example]\nrules: [{ backendRefs: [{ name: web, port: 80 }] }]"),
    annotated("things", { route: "/" }, old),
  );
  expect(names(outcome, "a.example")).toEqual(["portico/web/0", "portico/things/annotation"]);
  expect(names(outcome)).toEqual(["portico/things/annotation"]);
});

test("of two Services for one path > the older has it", () => {
  const outcome = given(
    ...base,
    annotated("a", { route: "/things" }, "  creationTimestamp: 2026-02-01T00:00:00Z\n"),
    annotated("z", { route: "/things" }, "  creationTimestamp: 2026-01-01T00:00:00Z\n"),
  );
  expect(names(outcome)).toEqual(["portico/z/annotation"]);
  expect(outcome.refusals).toEqual([expect.stringMatching(/Service portico\/a: Conflicted/)]);
});

test("a Service that cannot be routed to > answers 500 and says why", () => {
  const external = annotated("things", { route: "/things" }).replace(
    "spec: { ports",
    "spec: { type: ExternalName, ports",
  );
  expect(given(...base, external).refusals).toEqual([
    expect.stringContaining(
      "Service portico/things: BackendNotFound: Service portico/things is an ExternalName",
    ),
  ]);
});
