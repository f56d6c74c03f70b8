import request from "supertest";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
beforeAll(async () => {
  auth = await startAuth(inject("stores"));
});
afterAll(() => auth.stop());

test("discovery > names the issuer and its endpoints, whatever host the request claims", async () => {
  const { body } = await request(auth.origin)
    .get("/auth/.well-known/openid-configuration")
    .set({ Host: "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "ftp" })
    .expect(200);
  expect(body).toMatchObject({
    issuer: `${auth.origin}/auth`,
    authorization_endpoint: `${auth.origin}/auth/authorize`,
    token_endpoint: `${auth.origin}/auth/token`,
    userinfo_endpoint: `${auth.origin}/auth/userinfo`,
    jwks_uri: `${auth.origin}/auth/jwks`,
    code_challenge_methods_supported: ["S256"],
    id_token_signing_alg_values_supported: ["ES256"],
    response_types_supported: ["code", "none"],
    pushed_authorization_request_endpoint: `${auth.origin}/auth/par`,
    device_authorization_endpoint: `${auth.origin}/auth/device-authorization`,
    dpop_signing_alg_values_supported: ["ES256", "Ed25519"],
    authorization_response_iss_parameter_supported: true,
  });
  expect(JSON.stringify(body)).not.toContain("evil.example");
});

test("jwks > has the public parts only", async () => {
  const { body } = await request(auth.origin).get("/auth/jwks").expect(200);
  // The one that signs, and the one that comes next.
  expect(body.keys).toHaveLength(2);
  expect(body.keys[0]).toMatchObject({ kty: "EC", crv: "P-256", alg: "ES256", use: "sig" });
  expect(body.keys[0]).not.toHaveProperty("d");
});

test("token > answers errors in OAuth's form", async () => {
  const reply = await request(auth.origin)
    .post("/auth/token")
    .type("form")
    .send({ grant_type: "password", username: "a", password: "b" })
    .expect(400);
  expect(reply.body).toMatchObject({ error: "invalid_request" });
  expect(reply.headers["cache-control"]).toBe("no-store");
});

test.each([
  "/auth/xyz",
  "/auth/token/other",
  "/auth/jwks/x",
  "/auth/reg",
  "/auth/devices",
  "/auth",
])("an unknown path > is our problem document (404): %s", async (path) => {
  const reply = await request(auth.origin).get(path).expect(404);
  expect(reply.type).toBe("application/problem+json");
});

test("a wrong method > is our problem document (405)", async () => {
  const reply = await request(auth.origin).delete("/auth/token").expect(405);
  expect(reply.type).toBe("application/problem+json");
  expect(reply.headers.allow).toContain("POST");
});
