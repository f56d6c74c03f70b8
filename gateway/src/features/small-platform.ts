import {
  createTestIssuer,
  envoy,
  findBinary,
  findFreePorts,
  type TestIssuer,
} from "@portico/dev-env";
import { expect } from "vitest";
import { GATEWAY_CLASS, gatewayOn, policy, route, rule, service, tokensOf } from "./given.ts";
import {
  type Answer,
  ask,
  type Question,
  type RealGateway,
  startGarbage,
  startRealGateway,
  startUpstream,
  type Upstream,
  until,
} from "./real-envoy.ts";

/** Two services behind a real Envoy, with an issuer, and Gateways where something is missing. */
export interface SmallPlatform {
  readonly issuer: TestIssuer;
  readonly gateway: RealGateway;
  readonly posts: Upstream;
  readonly cards: Upstream;
  readonly token: string;
  readonly port: number;
  /** Of a Gateway without a policy. */
  readonly closedPort: number;
  /** Of one whose issuer cannot be reached. */
  readonly darkPort: number;
  bearer(token?: string): Question;
  /** A policy for that Gateway, which reads the keys from that Service. */
  tokensOn(gateway: string, keys: string): string;
  stop(): Promise<void>;
}

const onAll = (yaml: string) =>
  yaml.replace("{ name: portico }", "{ name: portico }, { name: closed }, { name: dark }");

const ROUTES = [
  onAll(
    route(
      "posts",
      `
rules:
  - name: public
    matches: [{ path: { type: Exact, value: /posts/openapi.json }, method: GET }]
    backendRefs: [{ name: posts, port: 80 }]${rule("/posts", "posts", "\n    timeouts: { request: 1s }")}`,
    ),
  ),
  policy(
    "public",
    "targetRefs: [{ kind: HTTPRoute, name: posts, sectionName: public }]\nrequirement: None",
  ),
  route("cards", `rules:${rule("/cards", "cards")}${rule("/transactions", "cards")}`),
  route(
    "broken",
    `rules:${rule("/dead", "dead")}${rule("/garbage", "garbage")}${rule("/nobody", "nobody")}`,
  ),
];

export async function startSmallPlatform(): Promise<SmallPlatform> {
  const issuer = await createTestIssuer();
  const token = await issuer.signToken();
  const [posts, cards, garbage] = await Promise.all([
    startUpstream("posts"),
    startUpstream("cards"),
    startGarbage(),
  ]);
  const [port = 0, closedPort = 0, darkPort = 0, deadPort = 0] = await findFreePorts(4);
  const tokensOn = (name: string, keys: string) =>
    policy(
      `tokens-of-${name}`,
      `${tokensOf(issuer, name, keys)}\nextractFrom: { cookies: [__Host-access] }`,
    );
  const gateway = await startRealGateway(
    await findBinary(envoy),
    [
      GATEWAY_CLASS,
      ...[gatewayOn(port, "portico", "deny"), gatewayOn(closedPort, "closed", "deny")],
      gatewayOn(darkPort, "dark", "deny"),
      ...[tokensOn("portico", "keys"), tokensOn("dark", "dead")],
      service("keys", Number(new URL(issuer.jwksUrl).port)),
      ...[service("posts", posts.port), service("cards", cards.port)],
      service("garbage", garbage.port),
      ...[service("dead", deadPort), service("nobody", deadPort, false)],
      ...ROUTES,
    ].join("\n---\n"),
  );
  const bearer = (value = token) => ({ headers: { authorization: `Bearer ${value}` } });
  await until(async () => (await ask(port, "/posts", bearer())).status === 200);
  return {
    ...{ issuer, gateway, posts, cards, token, port, closedPort, darkPort, bearer, tokensOn },
    async stop() {
      await gateway.stop();
      await Promise.all([posts.stop(), cards.stop(), garbage.stop(), issuer.close()]);
    },
  };
}

/** `401 unauthenticated`, of an answer that is a problem document as they all are. */
export function problemOf({ status, headers, json }: Answer) {
  expect(headers["content-type"]).toBe("application/problem+json");
  const problem = json<{
    type: string;
    title: string;
    status: number;
    code: string;
    detail: string;
  }>();
  expect(problem).toEqual({
    type: "about:blank",
    title: expect.any(String),
    status,
    code: expect.any(String),
    detail: expect.any(String),
  });
  return `${status} ${problem.code}`;
}
