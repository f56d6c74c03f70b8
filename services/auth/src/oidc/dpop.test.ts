import { createBrowser } from "@portico/dev-env";
import { calculateJwkThumbprint, exportJWK } from "jose";
import * as openid from "openid-client";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import {
  clientSecret,
  getTokens,
  goThrough,
  newAuthorization,
  registerClient,
} from "../testing/oauth-client.ts";
import { addMember, type Person, payloadOf } from "../testing/people.ts";
import { refusalOf } from "../testing/relying-party.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
let web: openid.Configuration;
let bound: openid.Configuration;
let app: openid.Configuration;
let service: openid.Configuration;
let person: Person;
let keys: openid.CryptoKeyPair;

beforeAll(async () => {
  auth = await startAuth(inject("stores"));
  web = await registerClient(auth, { client_id: "web" });
  bound = await registerClient(auth, { client_id: "bound", dpop_bound_access_tokens: true });
  app = await registerClient(auth, { client_id: "app", token_endpoint_auth_method: "none" });
  service = await registerClient(auth, {
    client_id: "service",
    grant_types: ["client_credentials"],
    response_types: [],
    redirect_uris: [],
    scope: "posts:read",
  });
  person = await addMember(auth);
  keys = await openid.randomDPoPKeyPair("ES256", { extractable: true });
});
afterAll(() => auth.stop());

const proving = (client: openid.Configuration, pair = keys) => ({
  DPoP: openid.getDPoPHandle(client, pair),
});
const me = () => new URL(`${auth.origin}/auth/users/me`);
const thumbprint = async () => calculateJwkThumbprint(await exportJWK(keys.publicKey));

describe("a token got with a proof", () => {
  test("is bound to the key, and serves services and userinfo with further proofs", async () => {
    const { tokens } = await getTokens(auth, web, person, {}, proving(web));
    expect(tokens.token_type).toBe("dpop");
    const { sub, cnf } = payloadOf(tokens.access_token);
    expect(cnf).toEqual({ jkt: await thumbprint() });

    const handle = proving(web);
    const reply = await openid.fetchProtectedResource(
      web,
      tokens.access_token,
      me(),
      "GET",
      undefined,
      undefined,
      handle,
    );
    expect([reply.status, ((await reply.json()) as { id: string }).id]).toEqual([200, sub]);
    const userinfo = await openid.fetchUserInfo(web, tokens.access_token, sub, handle);
    expect(userinfo.sub).toBe(sub);
  });

  test("is worth nothing without one, and nothing to who has another key", async () => {
    const { tokens } = await getTokens(auth, web, person, {}, proving(web));
    const statusOf = (path: string, scheme: string) =>
      request(auth.origin)
        .get(path)
        .set("Authorization", `${scheme} ${tokens.access_token}`)
        .then(({ status }) => status);
    expect(await statusOf("/auth/users/me", "Bearer")).toBe(401);
    expect(await statusOf("/auth/users/me", "DPoP")).toBe(401);
    expect(await statusOf("/auth/userinfo", "Bearer")).toBe(401);
    expect(await statusOf("/auth/userinfo", "DPoP")).toBe(400);
    const thief = proving(web, await openid.randomDPoPKeyPair("ES256"));
    const call = openid.fetchProtectedResource(
      web,
      tokens.access_token,
      me(),
      "GET",
      undefined,
      undefined,
      thief,
    );
    await expect(call).rejects.toMatchObject({ status: 401 });
    const userinfo = openid.fetchUserInfo(web, tokens.access_token, openid.skipSubjectCheck, thief);
    await expect(userinfo).rejects.toThrow();
  });

  test("a public client's refresh token is bound to the key as well", async () => {
    const { tokens } = await getTokens(auth, app, person, {}, proving(app));
    const refreshToken = tokens.refresh_token ?? "";
    const thief = proving(app, await openid.randomDPoPKeyPair("ES256"));
    const refresh = (options?: openid.DPoPOptions) =>
      refusalOf(openid.refreshTokenGrant(app, refreshToken, undefined, options));
    expect(await refresh(thief)).toBe("invalid_grant");
    expect(await refresh()).toBe("invalid_grant");
    expect(await refresh(proving(app))).toBe("accepted");
  });

  test("a client gets one for itself too", async () => {
    const tokens = await openid.clientCredentialsGrant(service, {}, proving(service));
    expect(payloadOf(tokens.access_token).cnf).toEqual({ jkt: await thumbprint() });
  });
});

test("a client that is registered so > gets no token without a proof", async () => {
  const bare = getTokens(auth, bound, person);
  expect(await refusalOf(bare)).toBe("invalid_grant");
  expect(await refusalOf(getTokens(auth, bound, person, {}, proving(bound)))).toBe("accepted");
});

test("a code that is bound to a key (dpop_jkt) > is worth nothing to who has another", async () => {
  const begin = async () => {
    const { parameters, checks } = await newAuthorization({ dpop_jkt: await thumbprint() });
    const url = openid.buildAuthorizationUrl(web, parameters);
    const { url: answer } = await goThrough(createBrowser(auth.origin), url, person);
    return (options?: openid.AuthorizationCodeGrantOptions) =>
      refusalOf(openid.authorizationCodeGrant(web, answer, checks, undefined, options));
  };
  const thief = proving(web, await openid.randomDPoPKeyPair("ES256"));
  expect(await (await begin())(thief)).toBe("invalid_grant");
  expect(await (await begin())()).toBe("invalid_grant");
  expect(await (await begin())(proving(web))).toBe("accepted");
});

describe("a proof at the token endpoint", () => {
  const post = (proof: string) =>
    request(auth.origin)
      .post("/auth/token")
      .auth("service", clientSecret)
      .set("DPoP", proof)
      .type("form")
      .send({ grant_type: "client_credentials" });

  /** What openid-client sends, kept before it is sent. */
  const capture = async (): Promise<{ first: string; second: string }> => {
    const proofs: string[] = [];
    const spied = await registerClient(auth, {
      client_id: "service",
      grant_types: ["client_credentials"],
      response_types: [],
      redirect_uris: [],
      scope: "posts:read",
    });
    spied[openid.customFetch] = async (url, options) => {
      const proof = new Headers(options.headers).get("dpop");
      if (proof) proofs.push(proof);
      // The second one has the nonce, and is not used up.
      if (proofs.length === 2) throw new Error("captured");
      return fetch(url, options as RequestInit);
    };
    await openid.clientCredentialsGrant(spied, {}, proving(spied)).catch(() => undefined);
    const [first = "", second = ""] = proofs;
    return { first, second };
  };

  test("needs a nonce of ours, and is told one", async () => {
    const { first, second } = await capture();
    const { body, headers } = await post(first).expect(400);
    expect(body.error).toBe("use_dpop_nonce");
    expect(headers["dpop-nonce"]).toBe(payloadOf(second).nonce);
  });

  test("counts once, also of many at once", async () => {
    const { second } = await capture();
    const statuses = await Promise.all(
      [1, 2, 3, 4, 5].map(async () => (await post(second)).status),
    );
    expect(statuses.sort()).toEqual([200, 400, 400, 400, 400]);
    const { body } = await post(second).expect(400);
    expect(body.error).toMatch(/^invalid_(grant|request)$/);
  });

  test("counts once after Redis was flushed too", async () => {
    const { second } = await capture();
    await post(second).expect(200);
    await auth.redis.flushdb();
    await post(second).expect(400);
  });
});
