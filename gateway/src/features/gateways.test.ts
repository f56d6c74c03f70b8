import { expect, test } from "vitest";
import { GATEWAY, GATEWAY_CLASS, given, route, service } from "./given.ts";

const gateway = (name: string, listeners: string, className = "portico") => `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: ${name} }
spec: { gatewayClassName: ${className}, listeners: [${listeners}] }
`;
const HTTP = "{ name: http, port: 8080, protocol: HTTP }";

test("gateways > a Gateway of another class is left alone, and so are routes on it", () => {
  const { config, verdicts } = given(
    GATEWAY_CLASS,
    gateway("portico", HTTP, "somebody-elses"),
    service("auth"),
    route("auth", "rules: [{ backendRefs: [{ name: auth, port: 80 }] }]"),
  );
  expect(config.listeners.size).toBe(0);
  expect(verdicts.map(({ object }) => object.kind)).toEqual(["GatewayClass"]);
});

test("gateways > each port of a Gateway is one Envoy listener", () => {
  const { config } = given(
    GATEWAY_CLASS,
    gateway("one", `${HTTP}, { name: more, port: 8081, protocol: HTTP }`),
    gateway("two", "{ name: http, port: 9090, protocol: HTTP }"),
  );
  expect([...config.listeners.keys()]).toEqual([
    "portico_one_8080",
    "portico_one_8081",
    "portico_two_9090",
  ]);
  expect([...config.routes.keys()]).toEqual([...config.listeners.keys()]);
});

test.each([
  ["{ name: tls, port: 8443, protocol: HTTPS }", "UnsupportedProtocol"],
  ["{ name: tcp, port: 8443, protocol: TCP }", "UnsupportedProtocol"],
  [
    "{ name: http, port: 8081, protocol: HTTP, allowedRoutes: { namespaces: { from: Selector } } }",
    "UnsupportedValue",
  ],
  [
    "{ name: grpc, port: 8081, protocol: HTTP, allowedRoutes: { kinds: [{ kind: GRPCRoute }] } }",
    "InvalidRouteKinds",
  ],
  ["{ name: twin, port: 8080, protocol: HTTP }", "HostnameConflict"],
])("gateways > listener %s is refused (%s), the others are served", (listener, reason) => {
  const { config, refusals } = given(GATEWAY_CLASS, gateway("portico", `${HTTP}, ${listener}`));
  expect(refusals).toEqual([expect.stringContaining(reason)]);
  expect([...config.listeners.keys()]).toEqual(["portico_portico_8080"]);
});

test("gateways > two Gateways cannot have the same port; the first by name keeps it", () => {
  const { config, refusals } = given(GATEWAY_CLASS, gateway("b", HTTP), gateway("a", HTTP));
  expect([...config.listeners.keys()]).toEqual(["portico_a_8080"]);
  expect(refusals).toContain(
    "Gateway portico/b: PortUnavailable: Gateway portico/a listens on 8080",
  );
});

test("gateways > a route of another namespace is kept out unless the listener allows all", () => {
  const elsewhere = route("far", "rules: [{}]").replace(
    "metadata: { name: far }",
    "metadata: { name: far, namespace: elsewhere }",
  );
  const parent = elsewhere.replace(
    "[{ name: portico }]",
    "[{ name: portico, namespace: portico }]",
  );
  expect(given(GATEWAY, parent).refusals).toEqual([
    expect.stringContaining("NotAllowedByListeners"),
  ]);
  const open = gateway(
    "portico",
    "{ name: http, port: 8080, protocol: HTTP, allowedRoutes: { namespaces: { from: All } } }",
  );
  expect(given(GATEWAY_CLASS, open, parent).routes()).toHaveLength(1);
});

test("gateways > a route on a Gateway or listener that is not there is told so", () => {
  const { refusals } = given(
    GATEWAY,
    route("lost", "rules: [{}]").replace("name: portico }]", "name: nowhere }]"),
    route("astray", "rules: [{}]").replace("name: portico }]", "name: portico, sectionName: x }]"),
  );
  expect(refusals).toEqual([
    "HTTPRoute portico/lost: NoMatchingParent: there is no Gateway portico/nowhere",
    "HTTPRoute portico/astray: NoMatchingParent: Gateway portico/portico has no such listener",
  ]);
});

test("gateways > a listener counts the routes attached to it", () => {
  const { verdicts } = given(GATEWAY, route("a", "rules: [{}]"), route("b", "rules: [{}]"));
  expect(verdicts.find(({ listener }) => listener === "http")).toMatchObject({ attachedRoutes: 2 });
});
