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
  ["{ name: tcp, port: 8443, protocol: TCP }", "UnsupportedProtocol"],
  ["{ name: tls, port: 8443, protocol: HTTPS }", "InvalidCertificateRef"],
  ["{ name: other, port: 8080, protocol: TCP }", "ProtocolConflict"],
  [
    "{ name: odd, port: 8081, protocol: HTTP, allowedRoutes: { kinds: [{ kind: TCPRoute }] } }",
    "InvalidRouteKinds",
  ],
])("gateways > listener %s is refused (%s), the others are served", (listener, reason) => {
  const { config, refusals } = given(GATEWAY_CLASS, gateway("portico", `${HTTP}, ${listener}`));
  expect(refusals).toEqual([expect.stringContaining(reason)]);
  expect([...config.listeners.keys()]).toEqual(["portico_portico_8080"]);
});

const conditionsOf = ({ verdicts }: ReturnType<typeof given>, name?: string) =>
  verdicts
    .find(({ object, listener }) => object.kind === "Gateway" && listener === name)
    ?.conditions.map(({ type, status, reason }) => `${type} ${status} ${reason}`);

test("gateways > a good listener, and a Gateway of good ones, has the standard's conditions", () => {
  const outcome = given(GATEWAY);
  expect(conditionsOf(outcome, "http")).toEqual([
    "Accepted True Accepted",
    "Programmed True Programmed",
    "ResolvedRefs True ResolvedRefs",
    "Conflicted False NoConflicts",
  ]);
  expect(conditionsOf(outcome)).toEqual(["Accepted True Accepted", "Programmed True Programmed"]);
});

test("gateways > of two listeners that cannot be told apart none is served, and the Gateway says so", () => {
  const twin = `{ name: twin, port: 8080, protocol: HTTP }`;
  const outcome = given(GATEWAY_CLASS, gateway("portico", `${HTTP}, ${twin}`));
  expect(outcome.config.listeners.size).toBe(0);
  for (const name of ["http", "twin"]) {
    expect(conditionsOf(outcome, name)).toEqual([
      "Accepted False HostnameConflict",
      "Programmed False HostnameConflict",
      "ResolvedRefs True ResolvedRefs",
      "Conflicted True HostnameConflict",
    ]);
  }
  expect(conditionsOf(outcome)).toEqual([
    "Accepted False ListenersNotValid",
    "Programmed False ListenersNotValid",
  ]);
});

test("gateways > with one bad listener a Gateway is accepted and tells of it", () => {
  const bad = "{ name: bad, port: 1111, protocol: INVALID }";
  const outcome = given(GATEWAY_CLASS, gateway("portico", `${HTTP}, ${bad}`));
  expect(conditionsOf(outcome)).toEqual([
    "Accepted True ListenersNotValid",
    "Programmed True Programmed",
  ]);
});

test("gateways > a listener takes the kinds it names, as far as they are known", () => {
  const kinds = "allowedRoutes: { kinds: [{ kind: InvalidRoute }, { kind: HTTPRoute }] }";
  const outcome = given(
    GATEWAY_CLASS,
    gateway("portico", `{ name: http, port: 8080, protocol: HTTP, ${kinds} }`),
    route("r", "rules: [{}]"),
  );
  expect(outcome.routes()).toHaveLength(1);
  expect(outcome.verdicts.find(({ listener }) => listener === "http")).toMatchObject({
    supportedKinds: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute" }],
    attachedRoutes: 1,
  });
  expect(conditionsOf(outcome, "http")).toContain("ResolvedRefs False InvalidRouteKinds");
});

test("gateways > a route of a kind that a listener does not take is kept out, with its references judged", () => {
  const kinds = "allowedRoutes: { kinds: [{ kind: GRPCRoute }] }";
  const { verdicts } = given(
    GATEWAY_CLASS,
    gateway("portico", `{ name: http, port: 8080, protocol: HTTP, ${kinds} }`),
    service("auth"),
    route("r", "rules: [{ backendRefs: [{ name: auth, port: 80 }] }]"),
  );
  expect(verdicts.find(({ object }) => object.kind === "HTTPRoute")?.conditions).toMatchObject([
    { type: "Accepted", status: "False", reason: "NotAllowedByListeners" },
    { type: "ResolvedRefs", status: "True" },
  ]);
});

test.each([
  ["addresses: [{ type: example/odd, value: x }]", "UnsupportedAddress"],
  [
    "infrastructure: { parametersRef: { group: x.example, kind: X, name: x } }",
    "InvalidParameters",
  ],
])("gateways > %s is refused (%s)", (field, reason) => {
  const yaml = gateway("portico", HTTP).replace("listeners:", `${field}, listeners:`);
  expect(given(GATEWAY_CLASS, yaml).refusals).toEqual([expect.stringContaining(reason)]);
});

test("gateways > addresses, and labels for what is made for a Gateway, are no mistake", () => {
  const fields =
    "addresses: [{ type: IPAddress }], infrastructure: { labels: { a: b }, annotations: { c: d } }";
  const yaml = gateway("portico", HTTP).replace("listeners:", `${fields}, listeners:`);
  expect(given(GATEWAY_CLASS, yaml).refusals).toEqual([]);
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

const namespace = (name: string, labels: string) => `
apiVersion: v1
kind: Namespace
metadata: { name: ${name}, labels: ${labels} }
`;
const farRoute = (name: string, from: string) =>
  route(name, "rules: [{}]")
    .replace(`{ name: ${name} }`, `{ name: ${name}, namespace: ${from} }`)
    .replace("[{ name: portico }]", "[{ name: portico, namespace: portico }]");

test.each([
  ["{ matchLabels: { team: blue } }", ["blue"]],
  ["{ matchExpressions: [{ key: team, operator: In, values: [blue, red] }] }", ["blue", "red"]],
  ["{ matchExpressions: [{ key: team, operator: NotIn, values: [blue] }] }", ["none", "red"]],
  ["{ matchExpressions: [{ key: team, operator: Exists }] }", ["blue", "red"]],
  ["{ matchExpressions: [{ key: team, operator: DoesNotExist }] }", ["none"]],
  ["{ matchLabels: { kubernetes.io/metadata.name: red } }", ["red"]],
  ["{}", ["blue", "none", "red"]],
])("gateways > a selector %s lets in routes of %j", (selector, expected) => {
  const rule = `allowedRoutes: { namespaces: { from: Selector, selector: ${selector} } }`;
  const { routes } = given(
    GATEWAY_CLASS,
    gateway("portico", `{ name: http, port: 8080, protocol: HTTP, ${rule} }`),
    namespace("blue", "{ team: blue }"),
    namespace("red", "{ team: red }"),
    ...["blue", "red", "none"].map((from) => farRoute("far", from)),
  );
  expect(routes().map(({ name }) => name.split("/")[0])).toEqual(expected);
});

test("gateways > with ports of their own, two Gateways have the same one", () => {
  const { config, refusals } = given.on((key) => (key === "portico/a" ? 10_001 : 10_002))(
    GATEWAY_CLASS,
    gateway("a", HTTP),
    gateway("b", HTTP),
  );
  expect(refusals).toEqual([]);
  expect([...config.listeners].map(([name, { address }]) => [name, address])).toMatchObject([
    ["portico_a_8080", { socket_address: { port_value: 10_001 } }],
    ["portico_b_8080", { socket_address: { port_value: 10_002 } }],
  ]);
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
