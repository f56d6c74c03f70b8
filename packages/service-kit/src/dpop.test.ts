import { createHash } from "node:crypto";
import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTPayload,
  SignJWT,
} from "jose";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { endpoint } from "./endpoint.ts";
import { signedIn } from "./guard.ts";
import { createTestApp, type TestApp } from "./testing/test-app.ts";

type Key = { privateKey: CryptoKey; jwk: JWK; thumbprint: string };

async function newKey(alg = "ES256"): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  return { privateKey, jwk, thumbprint: await calculateJwkThumbprint(jwk) };
}

const whoAmI = (method: "get" | "post") =>
  endpoint({
    method,
    path: "/things/:id",
    summary: "Say who calls",
    guard: signedIn,
    params: z.object({ id: z.string() }),
    query: z.object({ page: z.string().optional() }),
    reply: { status: 200, body: z.object({ subject: z.string() }) },
    handle: ({ caller }) => ({ subject: caller.subject }),
  });

let app: TestApp;
let key: Key;
let token: string;
const path = "/things/1";
const sha256 = (text: string) => createHash("sha256").update(text).digest("base64url");
const nowS = () => Math.floor(Date.now() / 1000);

beforeAll(async () => {
  app = await createTestApp([whoAmI("get"), whoAmI("post")]);
  key = await newKey();
  token = await app.issuer.signToken({ cnf: { jkt: key.thumbprint } });
});
afterAll(() => app.close());

/** A proof that is good for `GET /things/1` with `token`; `claims` and `header` replace single parts. */
const proofOf = (claims: JWTPayload = {}, header: Record<string, unknown> = {}, by = key) =>
  new SignJWT({
    jti: crypto.randomUUID(),
    htm: "GET",
    htu: `${new URL(app.issuer.issuer).origin}${path}`,
    ath: sha256(token),
    iat: nowS(),
    ...claims,
  })
    .setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk: by.jwk, ...header })
    .sign(by.privateKey);

const get = (proof: string | undefined, authorization = `DPoP ${token}`, url = path) =>
  request(app.app)
    .get(url)
    .set({ Authorization: authorization, ...(proof !== undefined && { DPoP: proof }) });

const refusal = async (reply: Promise<request.Response>) => {
  const { status, headers, body } = await reply;
  expect([status, body.code]).toEqual([401, "unauthenticated"]);
  return headers["www-authenticate"];
};

describe("a token that is bound to a key", () => {
  test("is accepted with a proof by that key, whatever the query", async () => {
    const { body } = await get(await proofOf()).expect(200);
    expect(body.subject).toBe("member-1");
    await get(await proofOf(), undefined, `${path}?page=2`).expect(200);
    await get(await proofOf(), `dpop ${token}`).expect(200);
    const htu = `${new URL(app.issuer.issuer).origin}${path}?page=2#x`;
    await get(await proofOf({ htu })).expect(200);
  });

  test("is accepted with a proof by an Ed25519 key", async () => {
    const other = await newKey("Ed25519");
    const bound = await app.issuer.signToken({ cnf: { jkt: other.thumbprint } });
    const proof = await proofOf({ ath: sha256(bound) }, { alg: "Ed25519" }, other);
    await get(proof, `DPoP ${bound}`).expect(200);
  });

  test("is refused as a bearer token, with and without a proof", async () => {
    const said = await refusal(get(undefined, `Bearer ${token}`));
    expect(said).toBe('DPoP error="invalid_token", algs="ES256 Ed25519"');
    await refusal(get(await proofOf(), `Bearer ${token}`));
  });

  test("is refused without a proof", async () => {
    expect(await refusal(get(undefined))).toContain('error="invalid_dpop_proof"');
    await refusal(get(""));
  });

  test("is refused with a proof that was used, also of two at once", async () => {
    const proof = await proofOf();
    await get(proof).expect(200);
    expect(await refusal(get(proof))).toContain('error="invalid_dpop_proof"');

    const another = await proofOf();
    const statuses = await Promise.all([1, 2, 3].map(async () => (await get(another)).status));
    expect(statuses.sort()).toEqual([200, 401, 401]);
  });

  test.each<[string, () => JWTPayload]>([
    ["another method", () => ({ htm: "POST" })],
    ["another path", () => ({ htu: `${new URL(app.issuer.issuer).origin}/things/2` })],
    ["another origin", () => ({ htu: `https://elsewhere.example${path}` })],
    ["the service's own address", () => ({ htu: `http://127.0.0.1:1${path}` })],
    ["something that is no URL", () => ({ htu: path })],
    ["another token", () => ({ ath: sha256("another") })],
    ["no token", () => ({ ath: undefined })],
    ["no request at all (jti)", () => ({ jti: undefined })],
    ["the past", () => ({ iat: nowS() - 61 })],
    ["the future", () => ({ iat: nowS() + 62 })],
    ["no time", () => ({ iat: undefined })],
  ])("is refused with a proof for %s", async (_what, claims) => {
    expect(await refusal(get(await proofOf(claims())))).toContain('error="invalid_dpop_proof"');
  });

  test("is refused with a proof by another key, or of another form", async () => {
    const other = await newKey();
    const { privateKey: _, ...published } = other;
    const d = { ...key.jwk, d: (await exportJWK(key.privateKey)).d };
    const proofs = [
      await proofOf({}, {}, other),
      await proofOf({}, { jwk: key.jwk }, other),
      await proofOf({}, { jwk: published.jwk }),
      await proofOf({}, { jwk: d }),
      await proofOf({}, { jwk: undefined }),
      await proofOf({}, { typ: "at+jwt" }),
      `${await proofOf()}, ${await proofOf()}`,
      (await proofOf()).replace(/^[^.]+/, base64({ alg: "none", typ: "dpop+jwt", jwk: key.jwk })),
      token,
      "x".repeat(5_000),
    ];
    for (const proof of proofs) await refusal(get(proof));
  });
});

test("a token that is bound to no key > is refused as one that is, and accepted as a bearer token", async () => {
  const unbound = await app.issuer.signToken();
  expect(await refusal(get(await proofOf({ ath: sha256(unbound) }), `DPoP ${unbound}`))).toContain(
    'error="invalid_token"',
  );
  await get(undefined, `Bearer ${unbound}`).expect(200);
});

test("a proof > does for its own method only", async () => {
  const post = async (proof: string) =>
    request(app.app)
      .post(path)
      .set({ Authorization: `DPoP ${token}`, DPoP: proof });
  expect((await post(await proofOf())).status).toBe(401);
  expect((await post(await proofOf({ htm: "POST" }))).status).toBe(200);
});

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
