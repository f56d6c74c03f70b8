import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { accessOf, given, service, TOKENS } from "./given.ts";

/** The objects of `helm/portico/gateway`, with an environment's own beside them. */
async function shipped() {
  const folder = new URL("../../../helm/portico/gateway/", import.meta.url);
  const files = await Promise.all(
    (await readdir(folder)).map((file) => readFile(new URL(file, folder), "utf8")),
  );
  return given(
    ...files,
    `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: portico, namespace: portico }
spec: { gatewayClassName: portico, listeners: [{ name: http, port: 8080, protocol: HTTP }] }`,
    TOKENS,
    ...["posts", "payments", "cards", "patients"].map((name) => service(name)),
  );
}

function spell({ match }: { match: object }): string {
  const { path, path_separated_prefix, headers } = match as {
    path?: string;
    path_separated_prefix?: string;
    headers?: [{ string_match: { exact: string } }];
  };
  const method = headers?.[0].string_match.exact ?? "ANY";
  return `${method} ${path ?? `${path_separated_prefix}/**`}`;
}

test("shipped objects > are all accepted", async () => {
  expect((await shipped()).refusals).toEqual([]);
});

test("shipped objects > this, and nothing else, is served without a token", async () => {
  const open = (await shipped()).routes().filter((route) => accessOf(route) === "open");
  expect(open.map(spell).sort()).toEqual([
    "ANY /auth/.well-known/**",
    "ANY /auth/account/**",
    "ANY /auth/authorize/**",
    "ANY /auth/browser-session/**",
    "ANY /auth/device-authorization",
    "ANY /auth/device/**",
    "ANY /auth/interaction/**",
    "ANY /auth/jwks",
    "ANY /auth/openapi.json",
    "ANY /auth/pages.css",
    "ANY /auth/par",
    "ANY /auth/passkeys.js",
    "ANY /auth/session/end/**",
    "ANY /auth/token/**",
    "ANY /auth/userinfo",
    "ANY /cards/openapi.json",
    "ANY /fhir/metadata",
    "ANY /patients/openapi.json",
    "ANY /payments/openapi.json",
    "ANY /posts/openapi.json",
    "GET /auth/erasures/**",
    "GET /auth/forgot-password",
    "GET /auth/identity-providers/**",
    "GET /auth/reset",
    "GET /auth/sign-up",
    "GET /auth/verify",
    "POST /auth/forgot-password",
    "POST /auth/password-resets",
    "POST /auth/reset",
    "POST /auth/sign-in",
    "POST /auth/sign-up",
    "POST /auth/test-users",
    "POST /auth/token-status",
    "POST /auth/verify",
  ]);
});

test("shipped objects > every other path of the five services needs a token", async () => {
  const closed = (await shipped()).routes().filter((route) => accessOf(route) === "token");
  expect(closed.map(spell).sort()).toEqual([
    "ANY /auth/**",
    "ANY /cards/**",
    "ANY /fhir/**",
    "ANY /patients/**",
    "ANY /payments/**",
    "ANY /posts/**",
    "ANY /transactions/**",
  ]);
});
