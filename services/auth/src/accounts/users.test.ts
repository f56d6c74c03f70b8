import { randomUUID } from "node:crypto";
import * as openid from "openid-client";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test, vi } from "vitest";
import type { Role } from "../roles/role.ts";
import { getTokens, registerClient } from "../testing/oauth-client.ts";
import { addMember, payloadOf, setRoles, signIn } from "../testing/people.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";
import { createAccountStore } from "./account-store.ts";

let auth: TestAuth;
let admin: string;
let adminId: string;
let member: string;
let web: openid.Configuration;

beforeAll(async () => {
  auth = await startAuth(inject("stores"));
  web = await registerClient(auth, { client_id: "web" });
  const [chief, somebody] = [await addMember(auth), await addMember(auth)];
  await setRoles(auth, chief, ["member", "admin"]);
  const session = await signIn(auth, chief);
  [admin, adminId] = [session.accessToken, session.account.id];
  member = (await signIn(auth, somebody)).accessToken;
});
afterAll(() => auth.stop());

const get = (path: string, token = admin) =>
  request(auth.origin).get(path).set("Authorization", `Bearer ${token}`);
const change = (id: string, body: object, token = admin) =>
  request(auth.origin)
    .patch(`/auth/users/${id}`)
    .set("Authorization", `Bearer ${token}`)
    .send(body);

const isRefused = (token: string) =>
  vi.waitFor(async () => expect((await get("/auth/users/me", token)).status).toBe(401), {
    timeout: 1_000,
    interval: 20,
  });
const isAccepted = async (token: string) =>
  expect((await get("/auth/users/me", token)).status).toBe(200);

/** Somebody with two kinds of tokens. */
async function someone(roles: Role[] = ["member"]) {
  const person = await addMember(auth);
  await setRoles(auth, person, roles);
  const { accessToken, account } = await signIn(auth, person);
  const { tokens } = await getTokens(auth, web, person);
  return { person, id: account.id, accessToken, tokens };
}

describe("GET /auth/users", () => {
  test("lists accounts by address, page by page, each once", async () => {
    const mark = randomUUID();
    const wanted = Array.from({ length: 5 }, (_, index) => `${mark}-${index}@portico.example`);
    for (const email of wanted.toReversed()) {
      await auth.mongo.collection("accounts").insertOne({
        ...{ _id: randomUUID() as never, email, passwordHash: null, name: null },
        ...{ emailVerified: false, roles: ["member"], premiumUntil: null, createdAt: new Date() },
      });
    }
    const seen: string[] = [];
    let after = "";
    do {
      const query = `prefix=${mark.toUpperCase()}&limit=2${after && `&after=${after}`}`;
      const { body } = await get(`/auth/users?${query}`).expect(200);
      seen.push(...body.items.map(({ email }: { email: string }) => email));
      after = body.nextCursor ?? "";
    } while (after);
    expect(seen).toEqual(wanted);
  });

  test("shows what administrators need, and nothing that proves anything", async () => {
    const { person, id } = await someone(["member", "clinician"]);
    const { body } = await get(`/auth/users?prefix=${person.email}`).expect(200);
    expect(body.items).toEqual([
      {
        id,
        email: person.email,
        name: null,
        emailVerified: true,
        roles: ["member", "clinician"],
        premiumUntil: null,
        createdAt: expect.any(String),
        status: "active",
      },
    ]);
  });

  test.each([".*", "^", "person-.", "$", "[p]"])(
    "takes a prefix for what it is, not for an expression: %s",
    async (prefix) => {
      const { body } = await get(`/auth/users?prefix=${encodeURIComponent(prefix)}`).expect(200);
      expect(body.items).toEqual([]);
    },
  );

  test("reads no more of the index than it answers, however many accounts there are", async () => {
    const mark = `many-${randomUUID()}`;
    await auth.mongo.collection("accounts").insertMany(
      Array.from({ length: 3_000 }, (_, index) => ({
        _id: randomUUID() as never,
        email: `${mark}-${index}@portico.example`,
      })),
    );
    const found = (query: { prefix: string; after: string | undefined }) =>
      createAccountStore(auth.mongo).listByEmail({ ...query, limit: 21 });
    await found({ prefix: mark, after: undefined });
    await found({ prefix: mark, after: `${mark}-15` });
    await found({ prefix: "", after: undefined });
    // By the profiler, which is on in every test: testing/indexed-queries.ts.
    const read = await auth.mongo
      .collection("system.profile")
      .find({ appName: "tests", "command.find": "accounts", "command.limit": 21 })
      .toArray();
    expect(
      read.map(({ planSummary, keysExamined, docsExamined, nreturned }) => ({
        planSummary,
        keysExamined,
        docsExamined,
        nreturned,
      })),
    ).toEqual(
      Array(3).fill({
        planSummary: "IXSCAN { email: 1 }",
        keysExamined: 21,
        docsExamined: 21,
        nreturned: 21,
      }),
    );
  });
});

describe("GET /auth/users/{accountId}", () => {
  test("is anybody's account (200), or nobody's (404)", async () => {
    const { id, person } = await someone();
    expect((await get(`/auth/users/${id}`).expect(200)).body).toMatchObject({
      id,
      email: person.email,
      status: "active",
    });
    await get(`/auth/users/${randomUUID()}`).expect(404);
    await get("/auth/users/not-an-id").expect(400);
  });

  test("leaves /auth/users/me alone", async () => {
    expect((await get("/auth/users/me").expect(200)).body).not.toHaveProperty("status");
    await change("me", { status: "suspended" }).expect(405);
  });
});

describe("suspending an account", () => {
  test("refuses all that it has, and lets it begin nothing new", async () => {
    const { person, id, accessToken, tokens } = await someone();
    await isAccepted(accessToken);
    const { body } = await change(id, { status: "suspended" }).expect(200);
    expect(body).toMatchObject({ id, status: "suspended" });

    for (const token of [accessToken, tokens.access_token]) await isRefused(token);
    const refresh = openid.refreshTokenGrant(web, tokens.refresh_token ?? "");
    await expect(refresh).rejects.toMatchObject({ error: "invalid_grant" });
    const userinfo = openid.fetchUserInfo(web, tokens.access_token, openid.skipSubjectCheck);
    await expect(userinfo).rejects.toThrow();
    const signsIn = await request(auth.origin).post("/auth/sign-in").send(person).expect(403);
    expect(signsIn.body.code).toBe("account-suspended");
    await expect(getTokens(auth, web, person)).rejects.toThrow();
    await isAccepted(member);
  });

  test("is told only to who knows the password", async () => {
    const { person, id } = await someone();
    await change(id, { status: "suspended" }).expect(200);
    const wrong = { ...person, password: "not the password" };
    const { body } = await request(auth.origin).post("/auth/sign-in").send(wrong).expect(401);
    expect(body.code).toBe("invalid-credentials");
  });

  test("ends when it is reinstated, but for what it had before", async () => {
    const { person, id, accessToken, tokens } = await someone();
    await change(id, { status: "suspended" }).expect(200);
    await isRefused(accessToken);
    expect((await change(id, { status: "active" }).expect(200)).body.status).toBe("active");
    await isAccepted((await signIn(auth, person)).accessToken);
    await isRefused(accessToken);
    const refresh = openid.refreshTokenGrant(web, tokens.refresh_token ?? "");
    await expect(refresh).rejects.toMatchObject({ error: "invalid_grant" });
  });

  test("of an account from before there was a status, is possible", async () => {
    const { id, accessToken } = await someone();
    await auth.mongo
      .collection("accounts")
      .updateOne({ _id: id as never }, { $unset: { status: "", tokenVersion: "" } });
    expect((await get(`/auth/users/${id}`)).body.status).toBe("active");
    await change(id, { status: "suspended" }).expect(200);
    await isRefused(accessToken);
  });
});

describe("changing roles", () => {
  test("refuses the old token, and the next one says what is so now", async () => {
    const { person, id, accessToken, tokens } = await someone(["member", "clinician"]);
    expect(payloadOf(accessToken).scope).toContain("patients:read");
    const { body } = await change(id, { roles: ["member"] }).expect(200);
    expect(body.roles).toEqual(["member"]);

    for (const token of [accessToken, tokens.access_token]) await isRefused(token);
    const renewed = await openid.refreshTokenGrant(web, tokens.refresh_token ?? "");
    await isAccepted(renewed.access_token);
    const again = await signIn(auth, person);
    for (const token of [renewed.access_token, again.accessToken]) {
      const claims = payloadOf(token);
      expect(claims).toMatchObject({ roles: ["member"], account_version: 1 });
      expect(claims.scope).not.toContain("patients:read");
    }
  });

  test("once for each role, in whatever order they are said", async () => {
    const { id, accessToken } = await someone(["member", "clinician"]);
    const { body } = await change(id, { roles: ["clinician", "member", "member"] }).expect(200);
    expect(body.roles).toEqual(["member", "clinician"]);
    await isAccepted(accessToken);
  });

  test("that changes nothing, ends nothing", async () => {
    const { id, accessToken } = await someone();
    await change(id, { status: "active", roles: ["member"] }).expect(200);
    await change(id, {}).expect(200);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await isAccepted(accessToken);
  });

  test("while somebody signs in and refreshes, leaves nobody a token with what was taken", async () => {
    const { person, id, tokens } = await someone(["member", "clinician"]);
    const refresh = () =>
      openid
        .refreshTokenGrant(web, tokens.refresh_token ?? "")
        .then(({ access_token }) => access_token);
    const attempts = Array.from({ length: 6 }, async (_, index) => {
      await new Promise((resolve) => setTimeout(resolve, index * 15));
      return [(await signIn(auth, person)).accessToken, await refresh()];
    });
    await new Promise((resolve) => setTimeout(resolve, 40));
    await change(id, { roles: ["member"] }).expect(200);
    const got = (await Promise.all(attempts)).flat();
    const account = await auth.mongo.collection("accounts").findOne({ email: person.email });
    // One that was being made meanwhile may have less than it says and be refused: never the other way round.
    const isOld = (token: string) => payloadOf(token).account_version < account?.tokenVersion;
    const tooMuch = got.filter((token) => payloadOf(token).scope.includes("patients:read"));
    expect(tooMuch.filter((token) => !isOld(token))).toEqual([]);
    for (const token of got.filter(isOld)) await isRefused(token);
    for (const token of got.filter((one) => !isOld(one))) await isAccepted(token);
    expect(got).toHaveLength(12);
  });
});

test("what an administrator changed is on record, with who did it", async () => {
  const { id } = await someone();
  await change(id, { roles: ["member", "clinician"] }).expect(200);
  const lines = auth.logged().split("\n");
  const line = lines.find((one) => one.includes("account.changed") && one.includes(id)) ?? "{}";
  expect(JSON.parse(line)).toMatchObject({ roles: ["member", "clinician"], by: adminId });
});

describe("who may not", () => {
  const id = randomUUID();
  const requests = {
    "list accounts": (token?: string) => get("/auth/users", token),
    "read an account": (token?: string) => get(`/auth/users/${id}`, token),
    "change an account": (token?: string) => change(id, { roles: ["admin"] }, token),
  };

  test.each(Object.entries(requests))("%s > a member, by scope (403)", async (_, send) => {
    await send(member).expect(403);
  });

  test.each(Object.entries(requests))("%s > who has no token (401)", async (_, send) => {
    await send("").expect(401);
  });

  test.each(Object.entries(requests))("%s > a client for itself (403)", async (_, send) => {
    const service = await registerClient(auth, {
      client_id: "service",
      grant_types: ["client_credentials"],
      response_types: [],
      redirect_uris: [],
      scope: "users:read users:write",
    });
    const tokens = await openid.clientCredentialsGrant(service, {
      scope: "users:read users:write",
    });
    expect(tokens.scope).toBe("users:read users:write");
    await send(tokens.access_token).expect(403);
  });

  test("suspend themselves, or stop being an administrator (409)", async () => {
    for (const body of [{ status: "suspended" }, { roles: ["member"] }]) {
      const refused = await change(adminId, body).expect(409);
      expect(refused.body.code).toBe("own-account");
    }
    await change(adminId, { roles: ["member", "admin", "clinician"] }).expect(200);
    await isRefused(admin);
  });

  test("one another's standing at once: one of two administrators stays (403)", async () => {
    const chiefs = await Promise.all([addMember(auth), addMember(auth)]);
    for (const chief of chiefs) await setRoles(auth, chief, ["admin"]);
    const [one, other] = await Promise.all(chiefs.map((chief) => signIn(auth, chief)));
    if (!one || !other) throw new Error("Two administrators signed in.");
    const statuses = await Promise.all([
      change(other.account.id, { roles: ["member"] }, one.accessToken).then(({ status }) => status),
      change(one.account.id, { status: "suspended" }, other.accessToken).then(
        ({ status }) => status,
      ),
    ]);
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
    expect(statuses.some((status) => status === 401 || status === 403)).toBe(true);
  });

  test("change what is nobody's (404), or anything else of an account (400)", async () => {
    const chief = await addMember(auth);
    await setRoles(auth, chief, ["admin"]);
    const token = (await signIn(auth, chief)).accessToken;
    await change(randomUUID(), { status: "suspended" }, token).expect(404);
    for (const body of [
      { tokenVersion: 0 },
      { emailVerified: true },
      { roles: ["owner"] },
      { status: "deleted" },
      { status: { $ne: "active" } },
    ]) {
      await change(adminId, body, token).expect(400);
    }
  });
});
