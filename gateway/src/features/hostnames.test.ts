import { expect, test } from "vitest";
import { coverers, intersection } from "../model/hostnames.ts";
import { GATEWAY_CLASS, given, route, service, TOKENS } from "./given.ts";

const gateway = (listeners: string) => `
${GATEWAY_CLASS}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: portico }
spec: { gatewayClassName: portico, listeners: [${listeners}] }
`;
const hosted = (name: string, hostnames: string) =>
  route(
    name,
    `hostnames: [${hostnames}]\nrules: [{ matches: [{ path: { value: /${name} } }], backendRefs: [{ name: auth, port: 80 }] }]`,
  );
const names = (routes: readonly { name: string }[]) => routes.map(({ name }) => name);

test.each([
  ["a.b.example", ["a.b.example", "*.b.example", "*.example", "*"]],
  ["*.b.example", ["*.b.example", "*.example", "*"]],
  ["*", ["*"]],
])("hostnames > %s is covered by %j, most specific first", (hostname, expected) => {
  expect(coverers(hostname)).toEqual(expected);
});

test.each([
  ["*", "a.example", "a.example"],
  ["*.example", "a.example", "a.example"],
  ["a.example", "*.example", "a.example"],
  ["*.b.example", "*.example", "*.b.example"],
  ["*.example", "example", undefined],
  ["a.example", "b.example", undefined],
])("hostnames > %s and %s have %s in common", (one, other, expected) => {
  expect(intersection(one, other)).toBe(expected);
});

test("hostnames > each host has its own routes, then those of the wildcards that cover it", () => {
  const { routes, hostnames } = given(
    gateway("{ name: http, port: 8080, protocol: HTTP }"),
    TOKENS,
    hosted("any", ""),
    hosted("wild", '"*.portico.example"'),
    hosted("exact", "api.portico.example"),
  );
  expect(hostnames()).toEqual(["*", "*.portico.example", "api.portico.example"]);
  expect(names(routes("api.portico.example"))).toEqual([
    "portico/exact/0",
    "portico/wild/0",
    "portico/any/0",
  ]);
  expect(names(routes("*.portico.example"))).toEqual(["portico/wild/0", "portico/any/0"]);
  expect(names(routes("*"))).toEqual(["portico/any/0"]);
});

test("hostnames > a listener keeps its hosts to itself: routes of a wider listener do not reach them", () => {
  const { routes, refusals } = given(
    gateway(`{ name: wide, port: 8080, protocol: HTTP },
             { name: api, port: 8080, protocol: HTTP, hostname: api.portico.example }`),
    TOKENS,
    route(
      "wide",
      `rules: [{ matches: [{ path: { value: /wide } }], backendRefs: [{ name: auth, port: 80 }] }]`,
    ).replace("name: portico }]", "name: portico, sectionName: wide }]"),
    hosted("api", "api.portico.example"),
  );
  expect(refusals).toEqual([]);
  expect(names(routes("api.portico.example"))).toEqual(["portico/api/0"]);
  expect(names(routes("*"))).toEqual(["portico/wide/0"]);
});

test("hostnames > a route whose hosts no listener has is told so", () => {
  const { refusals } = given(
    gateway("{ name: api, port: 8080, protocol: HTTP, hostname: api.portico.example }"),
    TOKENS,
    hosted("other", "other.example"),
  );
  expect(refusals).toEqual([
    "HTTPRoute portico/other: NoMatchingListenerHostname: no listener of Gateway portico/portico has one of other.example",
  ]);
});

test("hostnames > the port in a Host header does not matter", () => {
  const { config } = given(gateway("{ name: http, port: 8080, protocol: HTTP }"), service("auth"));
  expect(config.routes.get("portico_portico_8080")).toMatchObject({
    ignore_port_in_host_matching: true,
  });
});
