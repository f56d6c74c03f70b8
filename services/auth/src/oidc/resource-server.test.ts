import * as openid from "openid-client";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import {
  clientSecret,
  getTokens,
  newAuthorization,
  registerClient,
} from "../testing/oauth-client.ts";
import { addMember, type Person, payloadOf, setRoles } from "../testing/people.ts";
import { refusalOf } from "../testing/relying-party.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
let web: openid.Configuration;
let service: openid.Configuration;
let person: Person;

beforeAll(async () => {
  auth = await startAuth(inject("stores"));
  web = await registerClient(auth, { client_id: "web" });
  service = await registerClient(auth, {
    client_id: "service",
    grant_types: ["client_credentials"],
    response_types: [],
    redirect_uris: [],
    scope: "openid email posts:read patients:read",
  });
  person = await addMember(auth);
});
afterAll(() => auth.stop());

describe("a resource indicator (RFC 8707)", () => {
  const forItself = (resource?: string) =>
    openid.clientCredentialsGrant(service, { scope: "posts:read", ...(resource && { resource }) });

  test("may name the platform, and need not", async () => {
    for (const resource of [undefined, auth.origin]) {
      expect(payloadOf((await forItself(resource)).access_token).aud).toBe(auth.origin);
    }
    const { tokens } = await getTokens(auth, web, person, { resource: auth.origin });
    expect(payloadOf(tokens.access_token).aud).toContain(auth.origin);
  });

  test.each(["https://other.example", "not a URI", "urn:portico:posts"])(
    "for anything else is refused: %s",
    async (resource) => {
      expect(await refusalOf(forItself(resource))).toBe("invalid_target");
      const { parameters } = await newAuthorization({ resource });
      const { headers } = await request(auth.origin)
        .get(openid.buildAuthorizationUrl(web, parameters).href.slice(auth.origin.length))
        .redirects(0);
      expect(new URL(String(headers.location)).searchParams.get("error")).toBe("invalid_target");
    },
  );

  test("beside the platform does not slip through", async () => {
    const { body } = await request(auth.origin)
      .post("/auth/token")
      .auth("service", clientSecret)
      .type("form")
      .send(`grant_type=client_credentials&resource=${auth.origin}&resource=https://other.example`)
      .expect(400);
    expect(body.error).toBe("invalid_target");
  });
});

describe("a client that speaks for itself", () => {
  test("has no scope about a person, though it is registered with one", async () => {
    const tokens = await openid.clientCredentialsGrant(service, {
      scope: "openid email posts:read",
    });
    const claims = payloadOf(tokens.access_token);
    expect([tokens.scope, tokens.id_token, claims.aud]).toEqual([
      "posts:read",
      undefined,
      auth.origin,
    ]);
    for (const claim of ["roles", "email", "email_verified", "grant_id"]) {
      expect(claims).not.toHaveProperty(claim);
    }
  });

  test("has what it is registered with: no person's roles cut it, and none add to it", async () => {
    const scopeOf = (scope: string) => openid.clientCredentialsGrant(service, { scope });
    expect((await scopeOf("patients:read")).scope).toBe("patients:read");
    expect(await refusalOf(scopeOf("posts:write"))).toBe("invalid_scope");
  });
});

test("a client for people > never has more than it is registered with, whatever their roles", async () => {
  const reader = await registerClient(auth, { client_id: "reader", scope: "openid posts:read" });
  const admin = await addMember(auth);
  await setRoles(auth, admin, ["member", "clinician", "admin"]);
  const { tokens } = await getTokens(auth, reader, admin, { scope: "openid posts:read" });
  expect(payloadOf(tokens.access_token).scope).toBe("openid posts:read");
  const { parameters } = await newAuthorization({ scope: "openid posts:read users:write" });
  const { headers } = await request(auth.origin)
    .get(openid.buildAuthorizationUrl(reader, parameters).href.slice(auth.origin.length))
    .redirects(0);
  expect(new URL(String(headers.location)).searchParams.get("error")).toBe("invalid_scope");
});
