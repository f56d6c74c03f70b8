import * as openid from "openid-client";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { clientSecret, getTokens, registerClient } from "../testing/oauth-client.ts";
import { addMember, type Person, payloadOf } from "../testing/people.ts";
import { refusalOf } from "../testing/relying-party.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
let web: openid.Configuration;
let other: openid.Configuration;
let service: openid.Configuration;
let resourceServer: openid.Configuration;
let person: Person;

const alone = { grant_types: ["client_credentials"], response_types: [], redirect_uris: [] };

beforeAll(async () => {
  auth = await startAuth(inject("stores"));
  web = await registerClient(auth, { client_id: "web" });
  other = await registerClient(auth, { client_id: "other" });
  service = await registerClient(auth, { client_id: "service", scope: "posts:read", ...alone });
  resourceServer = await registerClient(auth, {
    client_id: "resource-server",
    resource_server: true,
    ...alone,
  });
  person = await addMember(auth);
});
afterAll(() => auth.stop());

const statusOf = (path: string, accessToken: string) =>
  request(auth.origin)
    .get(path)
    .set("Authorization", `Bearer ${accessToken}`)
    .then(({ status }) => status);

describe("introspection", () => {
  test("says of a client's own access token what is in it", async () => {
    const { tokens } = await getTokens(auth, web, person);
    const claims = payloadOf(tokens.access_token);
    expect(await openid.tokenIntrospection(web, tokens.access_token)).toEqual({
      ...claims,
      active: true,
      token_type: "Bearer",
    });
  });

  test("says of a client's own token for itself, and of one that is bound to a key", async () => {
    const bare = await openid.clientCredentialsGrant(service, { scope: "posts:read" });
    const keys = await openid.randomDPoPKeyPair();
    const DPoP = openid.getDPoPHandle(service, keys);
    const bound = await openid.clientCredentialsGrant(service, {}, { DPoP });
    expect(await openid.tokenIntrospection(service, bare.access_token)).toMatchObject({
      active: true,
      client_id: "service",
      sub: "service",
      scope: "posts:read",
      token_type: "Bearer",
    });
    expect(await openid.tokenIntrospection(service, bound.access_token)).toMatchObject({
      active: true,
      token_type: "DPoP",
      cnf: { jkt: expect.any(String) },
    });
  });

  test("tells a resource server about every token, and another client about none of others", async () => {
    const { tokens } = await getTokens(auth, web, person);
    const toServer = await openid.tokenIntrospection(resourceServer, tokens.access_token);
    expect(toServer).toMatchObject({ active: true, client_id: "web" });
    for (const client of [other, service]) {
      expect(await openid.tokenIntrospection(client, tokens.access_token)).toEqual({
        active: false,
      });
    }
  });

  test("tells nobody who does not prove who they are", async () => {
    const { tokens } = await getTokens(auth, web, person);
    const ask = (secret: string) =>
      request(auth.origin)
        .post("/auth/token/introspection")
        .auth("web", secret)
        .type("form")
        .send({ token: tokens.access_token });
    expect((await ask("not the secret").expect(401)).body).not.toHaveProperty("active");
    const { body, headers } = await ask(clientSecret).expect(200);
    expect([body.active, headers["cache-control"]]).toEqual([true, "no-store"]);
  });

  test.each<[string, (token: string) => string]>([
    ["was changed", (token) => token.replace(/[^.]+$/, "AAAA")],
    ["is an unsigned one", (token) => `${encode({ alg: "none" })}.${token.split(".")[1]}.`],
    ["is an ID token of ours", () => "id-token"],
    ["is nothing of ours", () => "opaque"],
  ])("says that a token is not active that %s", async (_what, change) => {
    const { tokens } = await getTokens(auth, web, person);
    const changed = change(tokens.access_token);
    const value = changed === "id-token" ? String(tokens.id_token) : changed;
    expect(await openid.tokenIntrospection(web, value)).toEqual({ active: false });
    expect(await openid.tokenIntrospection(web, tokens.access_token)).toHaveProperty("aud");
  });

  test("says that a token is not active whose grant has gone", async () => {
    const { tokens } = await getTokens(auth, web, person);
    const { grant_id } = payloadOf(tokens.access_token);
    await auth.mongo.collection<{ _id: string }>("grants").deleteOne({ _id: grant_id });
    expect(await openid.tokenIntrospection(web, tokens.access_token)).toEqual({ active: false });
  });
});

describe("revocation of an access token", () => {
  const isRefused = (token: string) =>
    vi.waitFor(async () => expect(await statusOf("/auth/users/me", token)).toBe(401), 1_000);

  test("is known everywhere within a second, and ends that token alone", async () => {
    const { tokens } = await getTokens(auth, web, person);
    expect(await statusOf("/auth/users/me", tokens.access_token)).toBe(200);
    await openid.tokenRevocation(web, tokens.access_token);
    await isRefused(tokens.access_token);
    expect(await statusOf("/auth/userinfo", tokens.access_token)).toBe(401);
    expect(await openid.tokenIntrospection(web, tokens.access_token)).toEqual({ active: false });

    const next = await openid.refreshTokenGrant(web, tokens.refresh_token ?? "");
    expect(await statusOf("/auth/users/me", next.access_token)).toBe(200);
  });

  test("ends a client's own token for itself", async () => {
    const { access_token } = await openid.clientCredentialsGrant(service);
    await openid.tokenRevocation(service, access_token);
    await vi.waitFor(
      async () =>
        expect(await openid.tokenIntrospection(service, access_token)).toEqual({ active: false }),
      1_000,
    );
  });

  test("does nothing to another client's, not even for a resource server", async () => {
    const { tokens } = await getTokens(auth, web, person);
    await openid.tokenRevocation(other, tokens.access_token);
    await openid.tokenRevocation(resourceServer, tokens.access_token);
    const own = await getTokens(auth, web, person);
    await openid.tokenRevocation(web, own.tokens.access_token);
    await isRefused(own.tokens.access_token);
    expect(await statusOf("/auth/users/me", tokens.access_token)).toBe(200);
  });

  test("succeeds for what is no token (RFC 7009 section 2.2), and for nobody without credentials", async () => {
    expect(await refusalOf(openid.tokenRevocation(web, "a.b.c"))).toBe("accepted");
    await request(auth.origin)
      .post("/auth/token/revocation")
      .auth("web", "not the secret")
      .type("form")
      .send({ token: "a.b.c" })
      .expect(401);
  });
});

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
