import { createPrivateKey, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createTestDatabase } from "@portico/dev-env";
import {
  connectMongo,
  createLogger,
  createTokenVerifier,
  migrate,
  Secret,
} from "@portico/service-kit";
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, SignJWT } from "jose";
import request from "supertest";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test, vi } from "vitest";
import { createKeyRing } from "../key-ring/key-ring.ts";
import { migrations } from "../migrations.ts";
import { createRevocationStore } from "../revocation/revocation-store.ts";
import { type Person, setRoles, signIn, signUp } from "../testing/people.ts";
import { createRelyingParty, type RelyingParty } from "../testing/relying-party.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";
import { scheduleOf } from "./signing-key.ts";
import { createSigningKeyStore } from "./signing-key-store.ts";
import { openSigningKeys } from "./signing-keys.ts";

/** Two instances of one auth. */
let auth: TestAuth;
let other: TestAuth;
let admin: Person;
let member: Person;
let app: RelyingParty;

beforeAll(async () => {
  auth = await startAuth(inject("stores"));
  other = await startAuth(inject("stores"), auth.environment);
  [admin, member] = await Promise.all([signUp(auth), signUp(auth)]);
  await setRoles(auth, admin, ["member", "admin"]);
  app = await createRelyingParty(auth, "app");
});
afterAll(async () => {
  await other.stop();
  await auth.stop();
});

const kept = () => auth.mongo.collection("signingKeys");
const dayMs = 86_400_000;
const daysAgo = (days: number) => new Date(Date.now() - days * dayMs);
/** As if the next key had been published for so long that everybody has read it. */
const ageNextKey = async () => {
  await kept().updateOne({ state: "next" }, { $set: { createdAt: daysAgo(1) } });
  const published = await kept().distinct("_id");
  for (const instance of [auth, other]) {
    await soon(async () => expect((await publishedBy(instance)).sort()).toEqual(published.sort()));
  }
  await readKeysAnew();
};
beforeEach(ageNextKey);

/** What verifiers do of themselves, but at most every half a minute. */
const readKeysAnew = async () => {
  const until = Math.ceil(Date.now() / 1000) + 60;
  await createRevocationStore(auth.mongo).add({ kind: "key", id: randomUUID(), until });
  await sleep(300);
};

const tokenOf = async (person: Person) => (await signIn(auth, person)).accessToken;
const send = async (method: "get" | "post" | "delete", path: string, person = admin) =>
  request(auth.origin)
    [method](path)
    .set("Authorization", `Bearer ${await tokenOf(person)}`);
const rotate = () => send("post", "/auth/signing-keys/rotation");

type Key = { kid: string; state: string };
const list = async (): Promise<Key[]> => (await send("get", "/auth/signing-keys")).body.keys;
const kidOf = async (state: string) => (await list()).find((key) => key.state === state)?.kid ?? "";
const publishedBy = async ({ origin }: TestAuth): Promise<string[]> => {
  const { body } = await request(origin).get("/auth/jwks").expect(200);
  return body.keys.map(({ kid }: Key) => kid);
};
const signerOf = (jwt: string) => decodeProtectedHeader(jwt).kid;
const statusOfMe = async (token: string, { origin }: TestAuth = auth) =>
  (await request(origin).get("/auth/users/me").set("Authorization", `Bearer ${token}`)).status;
const soon = <T>(check: () => Promise<T>) => vi.waitFor(check, { timeout: 5_000, interval: 50 });

describe("GET /auth/signing-keys", () => {
  test("lists what is published, with what each key is for", async () => {
    const reply = await send("get", "/auth/signing-keys");
    expect(reply.status).toBe(200);
    expect(reply.body.keys.map(({ state }: Key) => state).slice(0, 2)).toEqual(["active", "next"]);
    expect(await publishedBy(auth)).toEqual(reply.body.keys.map(({ kid }: Key) => kid));
    expect(reply.text).not.toContain('"d"');
  });

  test("is for administrators (401, 403)", async () => {
    await request(auth.origin).get("/auth/signing-keys").expect(401);
    for (const [method, path] of [
      ["get", "/auth/signing-keys"],
      ["post", "/auth/signing-keys/rotation"],
      ["delete", `/auth/signing-keys/${await kidOf("active")}`],
    ] as const) {
      expect((await send(method, path, member)).status).toBe(403);
    }
  });
});

describe("POST /auth/signing-keys/rotation", () => {
  test("the next key signs, the old one's tokens stay valid, and another one comes next", async () => {
    const [before, active, next] = [
      await tokenOf(member),
      await kidOf("active"),
      await kidOf("next"),
    ];
    const reply = await rotate();
    expect(reply.status).toBe(200);
    const keys: Key[] = reply.body.keys;
    expect(keys[0]).toMatchObject({ kid: next, state: "active" });
    expect(keys.find(({ kid }) => kid === active)?.state).toBe("retired");
    expect([active, next]).not.toContain(keys[1]?.kid);

    expect(signerOf(await tokenOf(member))).toBe(next);
    expect(signerOf(before)).toBe(active);
    expect(await statusOfMe(before)).toBe(200);
  });

  test("waits until everybody has read the next key (409)", async () => {
    expect((await rotate()).status).toBe(200);
    const reply = await rotate();
    expect([reply.status, reply.body.code]).toEqual([409, "next-key-too-new"]);
    expect(Number(reply.headers["retry-after"])).toBeGreaterThan(290);
    expect(Number(reply.headers["retry-after"])).toBeLessThanOrEqual(300);
  });

  test("of several at once, one rotates", async () => {
    const replies = await Promise.all([rotate(), rotate(), rotate()]);
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
  });

  test("another instance follows", async () => {
    await rotate();
    const published = await publishedBy(auth);
    await soon(async () => expect(await publishedBy(other)).toEqual(published));
  });

  test("under load, no request fails: at two instances, at a verifier, and at one that is slow to read keys", async () => {
    // Two verifiers of others: one reads a key that it does not know, one has read them before.
    const verify = createTokenVerifier({
      ...auth.config,
      revocations: auth.revocations,
    });
    const { body } = await request(auth.origin).get("/auth/jwks");
    const knownBefore = createLocalJWKSet(body);
    let refreshToken = (await app.signIn(member)).refresh_token ?? "";
    const signers = new Set<string | undefined>();
    const end = Date.now() + 4_000;
    let requests = 0;

    const check = async (token: string) => {
      signers.add(signerOf(token));
      for (const instance of [auth, other]) {
        expect(await statusOfMe(token, instance)).toBe(200);
        await request(instance.origin)
          .get("/auth/userinfo")
          .set("Authorization", `Bearer ${token}`)
          .expect(200);
      }
      await verify(token);
      await jwtVerify(token, knownBefore);
      requests += 7;
    };
    const refreshing = async () => {
      while (Date.now() < end) {
        const tokens = await app.refresh(refreshToken);
        refreshToken = tokens.refresh_token ?? "";
        await check(tokens.access_token);
      }
    };
    const signingIn = async () => {
      while (Date.now() < end) await check(await tokenOf(member));
    };
    const rotating = async () => {
      await vi.waitFor(() => expect(requests).toBeGreaterThan(14), { timeout: 3_000 });
      expect((await rotate()).status).toBe(200);
    };
    await Promise.all([refreshing(), signingIn(), rotating()]);
    expect(signers.size).toBe(2);
    expect(requests).toBeGreaterThan(50);
  }, 30_000);
});

describe("by itself", () => {
  test("a key that has signed for its time is followed by the next one, once", async () => {
    const [active, next] = [await kidOf("active"), await kidOf("next")];
    await kept().updateOne({ state: "active" }, { $set: { activatedAt: daysAgo(31) } });
    await soon(async () => expect(await kidOf("active")).toBe(next));
    await soon(async () => expect(await publishedBy(other)).toEqual(await publishedBy(auth)));
    expect(await kept().countDocuments({ _id: active as never, state: "retired" })).toBe(1);
    expect(await kidOf("active")).toBe(next);
  });

  test("a retired key goes when nothing is left that it signed", async () => {
    await rotate();
    const newest = { sort: { retiredAt: -1 } } as const;
    const { _id } = (await kept().findOne({ state: "retired" }, newest)) ?? {};
    await kept().updateOne({ _id }, { $set: { retiredAt: daysAgo(13) } });
    await soon(async () => expect(await publishedBy(other)).toContain(String(_id)));
    await kept().updateOne({ _id }, { $set: { retiredAt: daysAgo(15) } });
    await soon(async () => expect(await publishedBy(auth)).not.toContain(String(_id)));
    await soon(async () => expect(await publishedBy(other)).not.toContain(String(_id)));
  });
});

describe("DELETE /auth/signing-keys/{kid}", () => {
  const remove = (kid: string) => send("delete", `/auth/signing-keys/${kid}`);

  test("what a leaked key signed is refused everywhere within a second, and people go on", async () => {
    const [leaked, next] = [await kidOf("active"), await kidOf("next")];
    const signIns = await app.signIn(member);
    const [before, refreshToken] = [signIns.access_token, signIns.refresh_token ?? ""];
    const verify = createTokenVerifier({ ...auth.config, revocations: other.revocations });
    await verify(before);
    for (const instance of [auth, other]) expect(await statusOfMe(before, instance)).toBe(200);

    expect((await remove(leaked)).status).toBe(204);
    const wait = { timeout: 1_000, interval: 20 };
    await vi.waitFor(async () => {
      for (const instance of [auth, other]) expect(await statusOfMe(before, instance)).toBe(401);
      await expect(verify(before)).rejects.toMatchObject({ status: 401 });
    }, wait);
    for (const instance of [auth, other]) {
      await soon(async () => expect(await publishedBy(instance)).not.toContain(leaked));
    }

    const { access_token } = await app.refresh(refreshToken);
    expect(signerOf(access_token)).toBe(next);
    for (const instance of [auth, other])
      expect(await statusOfMe(access_token, instance)).toBe(200);
    await verify(access_token);
  });

  test("whoever has the leaked key makes no token that is accepted", async () => {
    const leaked = await kidOf("active");
    const store = createSigningKeyStore(auth.mongo, createKeyRing(auth.config.keyEncryptionKey));
    const key = (await store.list()).find(({ kid }) => kid === leaked);
    const good = await tokenOf(member);
    const forged = (kid?: string) =>
      new SignJWT(JSON.parse(Buffer.from(good.split(".")[1] ?? "", "base64url").toString()))
        .setProtectedHeader({ alg: "ES256", typ: "at+jwt", ...(kid && { kid }) })
        .setExpirationTime("10y")
        .sign(createPrivateKey({ key: { ...key?.privateJwk }, format: "jwk" }));
    const token = await forged(leaked);
    expect(await statusOfMe(token)).toBe(200);

    await remove(leaked);
    const next = await kidOf("active");
    await soon(async () => expect(await statusOfMe(token, other)).toBe(401));
    for (const other of [token, await forged(leaked), await forged(next), await forged()]) {
      expect(await statusOfMe(other)).toBe(401);
    }
  });

  test("a next key is replaced by another, a retired one is not", async () => {
    const [active, next] = [await kidOf("active"), await kidOf("next")];
    expect((await remove(next)).status).toBe(204);
    expect(await kidOf("active")).toBe(active);
    expect(await kidOf("next")).not.toBe(next);

    await ageNextKey();
    await rotate();
    const before = await list();
    expect((await remove(active)).status).toBe(204);
    expect(await list()).toEqual(before.filter(({ kid }) => kid !== active));
  });

  test("an unknown key is not found (404)", async () => {
    expect((await remove("unknown")).status).toBe(404);
  });
});

describe("the database", () => {
  test("shows no private key", async () => {
    const documents = JSON.stringify(await kept().find().toArray());
    const store = createSigningKeyStore(auth.mongo, createKeyRing(auth.config.keyEncryptionKey));
    const keys = await store.list();
    expect(keys.length).toBeGreaterThan(1);
    for (const { kid, privateJwk } of keys) {
      expect(documents).toContain(kid);
      for (const part of [privateJwk.d, Buffer.from(privateJwk.d).toString("base64url")]) {
        expect(documents).not.toContain(part);
      }
    }
    expect(auth.logged()).not.toContain(keys[0]?.privateJwk.d);
  });

  test("does not get a key published that somebody put there", async () => {
    const active = await kept().findOne({ state: "active" });
    const own = { ...active, _id: "own" as never, state: "retired", retiredAt: new Date() };
    await kept().insertOne(own);
    await soon(async () => expect(other.logged()).toContain("signing-keys.follow.failed"));
    for (const instance of [auth, other]) expect(await publishedBy(instance)).not.toContain("own");
    await kept().deleteOne({ _id: own._id });
    await soon(async () => expect(other.logged()).toContain("signing-keys.follow.recovered"));
  });
});

test("a first start > of several instances at once, one makes the keys", async () => {
  const database = await createTestDatabase(inject("stores"));
  const logger = createLogger("test", "error");
  const mongo = await connectMongo(database.mongodbUri, logger);
  await migrate(mongo, migrations, logger);
  const dependencies = {
    store: createSigningKeyStore(mongo, createKeyRing(auth.config.keyEncryptionKey)),
    schedule: scheduleOf(30),
    revoke: { signingKey: async () => undefined },
    logger,
  };
  const instances = await Promise.all([1, 2, 3, 4, 5].map(() => openSigningKeys(dependencies)));
  const kids = instances.map((instance) => instance.current().map(({ kid }) => kid));
  expect(new Set(kids.map(String)).size).toBe(1);
  expect(await mongo.collection("signingKeys").countDocuments()).toBe(2);
  await mongo.close();
  await database.drop();
});

test("the key encryption key > can be changed, and then the old one is needed no more", async () => {
  const old = auth.config.keyEncryptionKey.reveal();
  const next = Buffer.alloc(32, 7).toString("base64url");
  const ringOf = (...keys: string[]) => createKeyRing(new Secret(keys.join(",")));
  const database = await createTestDatabase(inject("stores"));
  const logger = createLogger("test", "error");
  const mongo = await connectMongo(database.mongodbUri, logger);
  await migrate(mongo, migrations, logger);
  const open = (ring: ReturnType<typeof ringOf>) =>
    openSigningKeys({
      store: createSigningKeyStore(mongo, ring),
      schedule: scheduleOf(30),
      revoke: { signingKey: async () => undefined },
      logger,
    });
  const before = (await open(ringOf(old))).current();
  await expect(open(ringOf(next))).rejects.toThrow("KEY_ENCRYPTION_KEY opens no signing key");
  expect((await open(ringOf(next, old))).current()).toEqual(before);
  expect((await open(ringOf(next))).current()).toEqual(before);
  await expect(open(ringOf(old))).rejects.toThrow("KEY_ENCRYPTION_KEY opens no signing key");
  await mongo.close();
  await database.drop();
});
