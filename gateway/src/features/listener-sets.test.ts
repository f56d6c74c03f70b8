import { expect, test } from "vitest";
import { authorities, createAuthority, tlsSecret } from "./certificate.ts";
import { GATEWAY_CLASS, given, route, service } from "./given.ts";

const gateway = (from: string) => `
${GATEWAY_CLASS}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: portico }
spec:
  gatewayClassName: portico
  allowedListeners: { namespaces: { from: ${from} } }
  listeners: [{ name: http, port: 8080, protocol: HTTP, hostname: own.example }]
`;
const set = (name: string, listeners: string, namespace = "portico") => `
apiVersion: gateway.networking.k8s.io/v1
kind: ListenerSet
metadata: { name: ${name}, namespace: ${namespace} }
spec: { parentRef: { name: portico, namespace: portico }, listeners: [${listeners}] }
`;
const http = (name: string, hostname: string, port = 8080) =>
  `{ name: ${name}, port: ${port}, protocol: HTTP, hostname: ${hostname} }`;
const onSet = (name: string, parent: string) =>
  route(name, "rules: [{ backendRefs: [{ name: posts, port: 80 }] }]").replace(
    "{ name: portico }",
    `{ kind: ListenerSet, name: ${parent} }`,
  );
const verdictOf = ({ verdicts }: ReturnType<typeof given>, name: string, listener?: string) =>
  verdicts.find((one) => one.object.name === name && one.listener === listener);
const statusOf = (outcome: ReturnType<typeof given>, name: string, listener?: string) =>
  verdictOf(outcome, name, listener)?.conditions.map(
    ({ type, status, reason }) => `${type} ${status} ${reason}`,
  );

test("listener sets > bring a Gateway more listeners, and routes that name them", () => {
  const outcome = given(
    gateway("Same"),
    set("more", `${http("other", "other.example")}, ${http("far", "far.example", 9090)}`),
    service("posts"),
    onSet("r", "more"),
  );
  expect(outcome.refusals).toEqual([]);
  expect([...outcome.config.listeners.keys()]).toEqual([
    "portico_portico_8080",
    "portico_portico_9090",
  ]);
  const hosts = outcome.config.routes.get("portico_portico_8080") as unknown as {
    virtual_hosts: { name: string; routes: { name: string }[] }[];
  };
  expect(
    hosts.virtual_hosts.map(({ name, routes }) => [name, routes.map((one) => one.name)]),
  ).toEqual([
    ["*", []],
    ["other.example", ["portico/r/0"]],
    ["own.example", []],
  ]);
  expect(verdictOf(outcome, "more", "other")).toMatchObject({
    object: { kind: "ListenerSet" },
    attachedRoutes: 1,
  });
  expect(
    outcome.verdicts.find(
      ({ object, listener }) => object.kind === "Gateway" && listener === undefined,
    ),
  ).toMatchObject({ attachedListenerSets: 1 });
  expect(verdictOf(outcome, "r")).toMatchObject({ parent: { kind: "ListenerSet", name: "more" } });
});

test.each([
  ["None", "portico", false],
  ["Same", "portico", true],
  ["Same", "elsewhere", false],
  ["All", "elsewhere", true],
])(
  "listener sets > a Gateway that allows them from %s takes one of %s: %s",
  (from, namespace, isTaken) => {
    const outcome = given(gateway(from), set("more", http("a", "a.example"), namespace));
    expect(statusOf(outcome, "more")).toEqual(
      isTaken
        ? ["Accepted True Accepted", "Programmed True Programmed"]
        : ["Accepted False NotAllowed", "Programmed False NotAllowed"],
    );
  },
);

test("listener sets > a Gateway's own listener comes first, then the older set's", () => {
  const outcome = given(
    gateway("Same"),
    set("b", `${http("twin", "a.example")}, ${http("own", "own.example")}`),
    set("a", http("first", "a.example")),
  );
  expect(statusOf(outcome, "a")).toEqual(["Accepted True Accepted", "Programmed True Programmed"]);
  for (const name of ["twin", "own"]) {
    expect(statusOf(outcome, "b", name)).toEqual([
      "Accepted False HostnameConflict",
      "Programmed False HostnameConflict",
      "ResolvedRefs True ResolvedRefs",
      "Conflicted True HostnameConflict",
    ]);
  }
  expect(statusOf(outcome, "b")).toEqual([
    "Accepted False ListenersNotValid",
    "Programmed False ListenersNotValid",
  ]);
  expect(outcome.config.listeners.size).toBe(1);
});

const FOREIGN = gateway("All")
  .slice(gateway("All").indexOf("---\n"))
  .replaceAll("portico", "other");
const ofGateway = (name: string) =>
  set("more", http("a", "a.example")).replace(
    "parentRef: { name: portico",
    `parentRef: { name: ${name}`,
  );

test.each([
  ["is taken in", [gateway("Same"), ofGateway("portico")], "Accepted True Accepted"],
  ["is kept out", [gateway("None"), ofGateway("portico")], "Accepted False NoMatchingParent"],
  ["has no Gateway", [gateway("Same"), ofGateway("nobody")], "Accepted False NoMatchingParent"],
  ["is not there", [gateway("Same")], "Accepted False NoMatchingParent"],
  ["is another controller's", [gateway("Same"), FOREIGN, ofGateway("other")], undefined],
])("listener sets > a route that names one that %s is told", (_which, yaml, accepted) => {
  const outcome = given(...yaml, service("posts"), onSet("r", "more"));
  expect(statusOf(outcome, "r")?.[0]).toBe(accepted);
});

test("listener sets > name certificates of their own namespace", () => {
  const authority = createAuthority();
  const secure =
    "{ name: tls, port: 8443, protocol: HTTPS, tls: { certificateRefs: [{ name: a }] } }";
  const yaml = [gateway("All"), set("more", secure, "elsewhere"), authorities("ca", authority)];
  const own = tlsSecret("a", authority.issue("a.example"), "elsewhere");
  expect(given(...yaml, own).refusals).toEqual([]);
  const outcome = given(...yaml, own.replaceAll("elsewhere", "portico"));
  expect(outcome.refusals[0]).toContain("InvalidCertificateRef: Secret elsewhere/a is not there");
  expect(statusOf(outcome, "more")).toEqual([
    "Accepted False ListenersNotValid",
    "Programmed False ListenersNotValid",
  ]);
});
