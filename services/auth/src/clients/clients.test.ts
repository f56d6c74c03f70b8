import { exportJWK, generateKeyPair } from "jose";
import * as openid from "openid-client";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { callback, getTokens } from "../testing/oauth-client.ts";
import { addMember, type Person, setRoles, signIn } from "../testing/people.ts";
import { refusalOf } from "../testing/relying-party.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
let member: Person;
let admin: string;

beforeAll(async () => {
  auth = await startAuth(inject("stores"));
  member = await addMember(auth);
  const administrator = await addMember(auth);
  await setRoles(auth, administrator, ["member", "admin"]);
  admin = (await signIn(auth, administrator)).accessToken;
});
afterAll(() => auth.stop());

type Method = "get" | "post" | "patch" | "delete";
const send = (method: Method, path: string, body?: object, token = admin) => {
  const sent = request(auth.origin)[method](path).set("Authorization", `Bearer ${token}`);
  return body ? sent.send(body) : sent;
};
const post = (body: object) => send("post", "/auth/clients", body);

const service = {
  client_name: "Reports",
  grant_types: ["client_credentials"],
  scope: "posts:read payments:read",
};
const web = {
  client_name: "Web",
  redirect_uris: [callback],
  grant_types: ["authorization_code", "refresh_token"],
  scope: "openid offline_access posts:read posts:write",
};

async function register(body: object) {
  const reply = await post(body).expect(201);
  return reply.body as { client_id: string; client_secret: string };
}

const discover = (id: string, authentication: openid.ClientAuth) =>
  openid.discovery(new URL(`${auth.origin}/auth`), id, undefined, authentication, {
    execute: [openid.allowInsecureRequests],
  });

const grant = (client: openid.Configuration, scope = "posts:read") =>
  openid.clientCredentialsGrant(client, { scope });

const statusOf = (token: string) =>
  request(auth.origin)
    .get("/auth/clients")
    .set("Authorization", `Bearer ${token}`)
    .then(({ status }) => status);

/** A token of a client may not list clients (403), but a revoked one is no token (401). */
const isRefused = (token: string) =>
  vi.waitFor(async () => expect(await statusOf(token)).toBe(401), { timeout: 1_000, interval: 20 });

describe("POST /auth/clients", () => {
  test("registers a client that can be used, and says its secret once", async () => {
    const reply = await post(service).expect(201);
    expect(reply.headers.location).toBe(`/auth/clients/${reply.body.client_id}`);
    expect(reply.body).toMatchObject({
      ...service,
      application_type: "web",
      token_endpoint_auth_method: "client_secret_basic",
      disabled: false,
      third_party: false,
      client_secret_expires_at: 0,
    });
    const { client_id, client_secret } = reply.body;
    const client = await discover(client_id, openid.ClientSecretBasic(client_secret));
    expect((await grant(client)).scope).toBe("posts:read");

    const read = await send("get", `/auth/clients/${client_id}`).expect(200);
    expect(read.body).not.toHaveProperty("client_secret");
    const kept = await auth.mongo.collection("clients").find().toArray();
    expect(JSON.stringify([kept, auth.logged()])).not.toContain(client_secret);
  });

  test("registers a client for people, who can sign in by it", async () => {
    const { client_id, client_secret } = await register(web);
    const client = await discover(client_id, openid.ClientSecretBasic(client_secret));
    const { tokens } = await getTokens(auth, client, member, { scope: "openid posts:read" });
    expect(tokens.claims()).toMatchObject({ aud: client_id });
  });

  test("registers a client that proves by a key who it is (RFC 7523), with no secret", async () => {
    const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
    const jwk = await exportJWK(publicKey);
    const body = {
      ...service,
      token_endpoint_auth_method: "private_key_jwt",
      jwks: { keys: [jwk] },
    };
    const registered = await register(body);
    expect(registered).not.toHaveProperty("client_secret");
    const byKey = await discover(registered.client_id, openid.PrivateKeyJwt(privateKey));
    expect((await grant(byKey)).scope).toBe("posts:read");

    const { privateKey: foreign } = await generateKeyPair("ES256");
    const byAnother = await discover(registered.client_id, openid.PrivateKeyJwt(foreign));
    expect(await refusalOf(grant(byAnother))).toBe("invalid_client");
    const bySecret = await discover(registered.client_id, openid.ClientSecretBasic("x".repeat(43)));
    expect(await refusalOf(grant(bySecret))).toBe("invalid_client");
    const publicly = await discover(registered.client_id, openid.None());
    expect(await refusalOf(grant(publicly))).toBe("invalid_client");
  });

  test("takes an assertion once (RFC 7523 section 3), also of many at once", async () => {
    const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
    const keys = [await exportJWK(publicKey)];
    const { client_id } = await register({
      ...service,
      token_endpoint_auth_method: "private_key_jwt",
      jwks: { keys },
    });
    const client = await discover(client_id, openid.PrivateKeyJwt(privateKey));
    let form = "";
    client[openid.customFetch] = async (_url, options) => {
      form = String(options.body);
      throw new Error("captured");
    };
    await grant(client).catch(() => undefined);
    const use = () => request(auth.origin).post("/auth/token").type("form").send(form);
    const statuses = await Promise.all([1, 2, 3].map(async () => (await use()).status));
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect((await use()).status).toBeGreaterThanOrEqual(400);
  });

  test.each<[string, object, string]>([
    ["no name", { ...web, client_name: undefined }, "client_name"],
    ["an unknown field", { ...web, client_id: "mine" }, "client_id"],
    ["a secret of its own", { ...web, client_secret: "x".repeat(43) }, "client_secret"],
    ["an unknown scope", { ...web, scope: "openid everything" }, "scope"],
    ["no scope", { ...web, scope: "" }, "scope"],
    ["the implicit grant", { ...web, grant_types: ["implicit"] }, "grant_types.0"],
    ["the password grant", { ...web, grant_types: ["password"] }, "grant_types.0"],
    ["no redirect URI", { ...web, redirect_uris: [] }, "redirect_uris"],
    ["a wildcard", { ...web, redirect_uris: ["https://*.example/"] }, "redirect_uris.0"],
    ["a fragment", { ...web, redirect_uris: [callback, `${callback}#x`] }, "redirect_uris.1"],
    ["plain http", { ...web, redirect_uris: ["http://app.example/"] }, "redirect_uris.0"],
    [
      "a wrong address after sign-out",
      { ...web, post_logout_redirect_uris: ["javascript:alert(1)"] },
      "post_logout_redirect_uris.0",
    ],
    [
      "a logout address that is no URL",
      { ...web, backchannel_logout_uri: "file:///etc/passwd" },
      "backchannel_logout_uri",
    ],
    ["a person's scope without people", { ...service, scope: "openid posts:read" }, "scope"],
    [
      "client_credentials without credentials",
      { ...service, token_endpoint_auth_method: "none" },
      "grant_types",
    ],
    [
      "a resource server that anybody can claim to be",
      { ...web, token_endpoint_auth_method: "none", resource_server: true },
      "resource_server",
    ],
    [
      "a key method without a key",
      { ...web, token_endpoint_auth_method: "private_key_jwt" },
      "jwks",
    ],
    ["a key that nothing uses", { ...web, jwks_uri: "https://app.example/jwks" }, "jwks"],
    [
      "a private key",
      {
        ...web,
        token_endpoint_auth_method: "private_key_jwt",
        jwks: { keys: [{ kty: "EC", crv: "P-256", x: "x", y: "y", d: "d" }] },
      },
      "jwks.keys.0.d",
    ],
  ])("refuses %s (400), and says where", async (_what, body, field) => {
    const before = await auth.mongo.collection("clients").countDocuments();
    const reply = await post(body).expect(400);
    expect(reply.body.errors.map((error: { field: string }) => error.field)).toContain(field);
    expect(await auth.mongo.collection("clients").countDocuments()).toBe(before);
  });
});

describe("who may", () => {
  const path = "/auth/clients/some";
  test.each<[Method, string, object | undefined]>([
    ["post", "/auth/clients", service],
    ["get", "/auth/clients", undefined],
    ["get", path, undefined],
    ["patch", path, { disabled: true }],
    ["delete", path, undefined],
    ["post", `${path}/secret`, {}],
  ])("%s %s > is for administrators only", async (method, url, body) => {
    const { accessToken } = await signIn(auth, member);
    await send(method, url, body, accessToken).expect(403);
    const anonymous = request(auth.origin)[method](url);
    await (body ? anonymous.send(body) : anonymous).expect(401);
    const { status } = await send(method, url, body);
    expect([200, 201, 404]).toContain(status);
  });

  test("a client's own token does not do, whatever its scope", async () => {
    const { client_id, client_secret } = await register({ ...service, scope: "clients:write" });
    const client = await discover(client_id, openid.ClientSecretBasic(client_secret));
    const { access_token } = await grant(client, "clients:write");
    await send("post", "/auth/clients", service, access_token).expect(403);
  });
});

describe("GET /auth/clients", () => {
  test("lists every client once, page by page, without secrets", async () => {
    const mine = await Promise.all([1, 2, 3].map(() => register(service)));
    const seen: string[] = [];
    let path: string | undefined = "/auth/clients?limit=2";
    while (path) {
      const reply: request.Response = await send("get", path).expect(200);
      expect(JSON.stringify(reply.body)).not.toContain('"client_secret"');
      seen.push(...reply.body.items.map((item: { client_id: string }) => item.client_id));
      path = /<([^>]+)>/.exec(reply.headers.link ?? "")?.[1];
    }
    expect(new Set(seen).size).toBe(seen.length);
    for (const { client_id } of mine) expect(seen).toContain(client_id);
  });

  test("answers 404 for one that there is not", async () => {
    await send("get", "/auth/clients/none").expect(404);
    await send("get", "/auth/clients/portico").expect(404);
  });
});

describe("PATCH /auth/clients/:clientId", () => {
  const started = async (body: object = service) => {
    const { client_id, client_secret } = await register(body);
    const client = await discover(client_id, openid.ClientSecretBasic(client_secret));
    return { client, path: `/auth/clients/${client_id}`, client_id };
  };

  test("changes what it names, and leaves the rest", async () => {
    const { path, client } = await started();
    const { body } = await send("patch", path, { client_name: "New name" }).expect(200);
    expect(body).toMatchObject({ ...service, client_name: "New name" });
    expect((await grant(client)).scope).toBe("posts:read");
  });

  test("disables: no token is given any more, and those that it has are refused within a second", async () => {
    const { path, client } = await started();
    const { access_token } = await grant(client);
    expect(await statusOf(access_token)).toBe(403);
    await send("patch", path, { disabled: true }).expect(200);
    await isRefused(access_token);
    expect(await refusalOf(grant(client))).toBe("invalid_client");

    await send("patch", path, { disabled: false }).expect(200);
    expect(await refusalOf(grant(client))).toBe("accepted");
    expect(await statusOf(access_token)).toBe(401);
  });

  test("disables for people too: their tokens are refused, and refreshed no more", async () => {
    const { path, client } = await started(web);
    const { tokens } = await getTokens(auth, client, member, { scope: "openid offline_access" });
    await send("patch", path, { disabled: true }).expect(200);
    await isRefused(tokens.access_token);
    const refresh = openid.refreshTokenGrant(client, tokens.refresh_token ?? "");
    expect(await refusalOf(refresh)).toBe("invalid_client");
  });

  test("takes a scope away: from tokens within a second, and from what is refreshed", async () => {
    const { path, client } = await started(web);
    const { tokens } = await getTokens(auth, client, member, {
      scope: "openid offline_access posts:read posts:write",
    });
    await send("patch", path, { scope: "openid offline_access posts:read" }).expect(200);
    await isRefused(tokens.access_token);
    const next = await openid.refreshTokenGrant(client, tokens.refresh_token ?? "");
    expect(next.scope).toBe("openid offline_access posts:read");
  });

  test("refuses what would not go together (400), and what cannot be changed", async () => {
    const { path } = await started();
    for (const body of [
      { scope: "openid" },
      { grant_types: ["authorization_code"] },
      { token_endpoint_auth_method: "none" },
      { client_secret: "x".repeat(43) },
      { redirect_uris: ["http://evil.example/"] },
    ]) {
      await send("patch", path, body).expect(400);
    }
    expect((await send("get", path)).body).toMatchObject(service);
  });

  test("of two at once, both are done or one is told (409)", async () => {
    const { path } = await started();
    const changes = [{ client_name: "One" }, { scope: "posts:read" }];
    const statuses = await Promise.all(
      changes.map(async (change) => (await send("patch", path, change)).status),
    );
    const { body } = await send("get", path);
    const done = [body.client_name === "One", body.scope === "posts:read"];
    expect(done).toEqual(statuses.map((status) => status === 200));
    expect(statuses.every((status) => status === 200 || status === 409)).toBe(true);
  });

  test("answers 404 for one that there is not", () =>
    send("patch", "/auth/clients/none", { disabled: true }).expect(404));
});

describe("POST /auth/clients/:clientId/secret", () => {
  const withSecret = async (id: string, secret: string) =>
    refusalOf(grant(await discover(id, openid.ClientSecretBasic(secret))));

  test("gives a new secret, and the one before it stays good for a while, the one before that not", async () => {
    const { client_id, client_secret: first } = await register(service);
    const path = `/auth/clients/${client_id}/secret`;
    const second = (await send("post", path, {}).expect(201)).body.client_secret;
    expect(await withSecret(client_id, second)).toBe("accepted");
    expect(await withSecret(client_id, first)).toBe("accepted");
    const third = (await send("post", path, {}).expect(201)).body.client_secret;
    expect(await withSecret(client_id, third)).toBe("accepted");
    expect(await withSecret(client_id, second)).toBe("accepted");
    expect(await withSecret(client_id, first)).toBe("invalid_client");

    await auth.mongo.collection<{ _id: string }>("clients").updateOne(
      { _id: client_id },
      {
        $set: { "payload.previous_client_secret_expires_at": Math.floor(Date.now() / 1000) - 1 },
      },
    );
    await vi.waitFor(
      async () => expect(await withSecret(client_id, second)).toBe("invalid_client"),
      { timeout: 3_000, interval: 100 },
    );
    expect(await withSecret(client_id, third)).toBe("accepted");
  });

  test("for a secret that others know ends at once everything that was got with it", async () => {
    const { client_id, client_secret } = await register(service);
    const client = await discover(client_id, openid.ClientSecretBasic(client_secret));
    const { access_token } = await grant(client);
    const path = `/auth/clients/${client_id}/secret`;
    await send("post", path, { previous_valid_for: 0 }).expect(201);
    expect(await refusalOf(grant(client))).toBe("invalid_client");
    await isRefused(access_token);
  });

  test("is refused for a client that has none (409), and for one that there is not (404)", async () => {
    const { client_id } = await register({ ...web, token_endpoint_auth_method: "none" });
    const { body } = await send("post", `/auth/clients/${client_id}/secret`, {}).expect(409);
    expect(body.code).toBe("no-secret");
    await send("post", "/auth/clients/none/secret", {}).expect(404);
  });
});

describe("DELETE /auth/clients/:clientId", () => {
  test("ends the client and its tokens, once", async () => {
    const { client_id, client_secret } = await register(service);
    const client = await discover(client_id, openid.ClientSecretBasic(client_secret));
    const { access_token } = await grant(client);
    await send("delete", `/auth/clients/${client_id}`).expect(204);
    await isRefused(access_token);
    expect(await refusalOf(grant(client))).toBe("invalid_client");
    await send("delete", `/auth/clients/${client_id}`).expect(404);
    await send("get", `/auth/clients/${client_id}`).expect(404);
  });
});
