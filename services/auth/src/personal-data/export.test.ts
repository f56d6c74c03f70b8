import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Caller, createTokenVerifier, type VerifyAccessToken } from "@portico/service-kit";
import request from "supertest";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import { addMember, type Person, payloadOf, signIn } from "../testing/people.ts";
import { createRelyingParty } from "../testing/relying-party.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";
import { holders } from "./erasure.ts";

const others = holders.filter((holder) => holder !== "auth");
const recordsPerService = 60;

/** The other services, as far as auth knows them: who asks, with which token, for which page. */
let services: Server;
let verify: VerifyAccessToken;
const asked: { service: string; token: string; caller: Caller }[] = [];
const away = new Set<string>();

async function answer(url: URL, token: string): Promise<object> {
  const service = url.pathname.split("/")[1] ?? "";
  if (away.has(service)) throw new Error("away");
  const caller = await verify(token);
  asked.push({ service, token, caller });
  const [from, limit] = ["after", "limit"].map((name) => Number(url.searchParams.get(name)));
  const end = Math.min(Number(from) + Number(limit), recordsPerService);
  const items = Array.from({ length: end - Number(from) }, (_, index) => ({
    of: caller.subject,
    text: `${service} says ${Number(from) + index}`,
  }));
  return { items, nextCursor: end < recordsPerService ? String(end) : null };
}

let auth: TestAuth;
let person: Person;
beforeAll(async () => {
  services = createServer((incoming, response) => {
    const token = incoming.headers.authorization?.slice(7) ?? "";
    answer(new URL(incoming.url ?? "", "http://services"), token).then(
      (page) => response.end(JSON.stringify(page)),
      () => response.writeHead(503).end(),
    );
  });
  await new Promise<void>((resolve) => services.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(services.address() as AddressInfo).port}`;
  auth = await startAuth(inject("stores"), {
    SERVICE_ORIGINS: others.map((name) => `${name}=${origin}`).join(","),
  });
  verify = createTokenVerifier({ ...auth.config, revocations: auth.revocations });
  person = await addMember(auth);
});
afterEach(() => {
  away.clear();
  asked.length = 0;
});
afterAll(async () => {
  await auth.stop();
  services.close();
});

const path = "/auth/users/me/exports";
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
const ask = (token: string) => request(auth.origin).post(path).set(bearer(token));
const get = (token: string, url: string) => request(auth.origin).get(url).set(bearer(token));

async function newcomer() {
  const who = await addMember(auth);
  const { accessToken, account } = await signIn(auth, who);
  return { ...who, token: accessToken, id: account.id };
}

const finished = async (token: string, url: string) => {
  await expect
    .poll(async () => (await get(token, url)).body.state, { timeout: 15_000 })
    .toBe("ready");
  return (await get(token, url).expect(200)).body;
};

async function exported(token: string) {
  const { headers } = await ask(token).expect(202);
  const view = await finished(token, String(headers.location));
  return { view, data: (await get(token, view.data).expect(200)).body };
}

const collection = (name: string) => auth.mongo.collection<{ _id: string }>(name);

describe("an export", () => {
  test("is collected from every service, and says how far it is (202, then 200)", async () => {
    const { token, id, email } = await newcomer();
    const { body, headers } = await ask(token).expect(202);
    expect(headers.location).toBe(`${path}/${body.id}`);
    expect(body).toMatchObject({ state: "collecting", readyAt: null, data: null });
    const view = await finished(token, headers.location ?? "");
    expect(view.services).toEqual(Object.fromEntries(holders.map((name) => [name, "collected"])));

    const { body: data, headers: file } = await get(token, view.data).expect(200);
    expect(file["content-disposition"]).toBe('attachment; filename="portico-export.json"');
    expect(file["cache-control"]).toBe("no-store");
    expect(Object.keys(data)).toEqual([...holders]);
    expect(data.auth[0].account).toMatchObject([{ id, email }]);
    for (const service of others) {
      expect(data[service]).toHaveLength(recordsPerService);
      expect(data[service][59]).toEqual({ of: id, text: `${service} says 59` });
    }
  });

  test("holds no password, no secret and no hash of one", async () => {
    const { token, id } = await newcomer();
    const account = await collection("accounts").findOne({ _id: id });
    const { data } = await exported(token);
    const text = JSON.stringify(data);
    expect(text).not.toContain((account as unknown as { passwordHash: string }).passwordHash);
    expect(text).not.toMatch(/hash|sealed|secret|token/i);
  });

  test("is asked for once: asked again while it is collected, it is the same", async () => {
    const { token } = await newcomer();
    away.add("cards");
    const replies = await Promise.all([ask(token), ask(token), ask(token)]);
    expect(new Set(replies.map(({ body }) => body.id)).size).toBe(1);
    expect(replies.map(({ status }) => status)).toEqual([202, 202, 202]);
  });

  test("that is finished is replaced by the next one", async () => {
    const { token } = await newcomer();
    const first = await exported(token);
    const second = await exported(token);
    expect(second.view.id).not.toBe(first.view.id);
    await get(token, first.view.data).expect(404);
    expect(await collection("exportPages").countDocuments({ exportId: first.view.id })).toBe(0);
  });

  test("waits for a service that is away, keeps what it has, and completes when it is back", async () => {
    const { token, id } = await newcomer();
    away.add("patients");
    const { body } = await ask(token).expect(202);
    const url = `${path}/${body.id}`;
    await expect
      .poll(async () => (await get(token, url)).body.services.posts, { timeout: 15_000 })
      .toBe("collected");
    const waiting = await get(token, url);
    expect(waiting.body).toMatchObject({ state: "collecting", services: { patients: "waiting" } });
    const refused = await get(token, `${url}/data`).expect(409);
    expect(refused.body.code).toBe("export-not-ready");

    const before = asked.filter(({ service }) => service === "posts").length;
    away.clear();
    const view = await finished(token, url);
    expect((await get(token, view.data)).body.patients[0].of).toBe(id);
    expect(asked.filter(({ service }) => service === "posts")).toHaveLength(before);
  });
});

describe("the token that auth shows the services", () => {
  test("is the person's, for this one purpose, for a minute, and of no sign-in", async () => {
    const { token, id } = await newcomer();
    await exported(token);
    expect(new Set(asked.map(({ service }) => service))).toEqual(new Set(others));
    for (const { token: shown, caller } of asked) {
      expect([caller.subject, [...caller.scopes]]).toEqual([id, ["personal-data:read"]]);
      const claims = payloadOf(shown);
      expect(claims.exp - claims.iat).toBe(60);
      expect(claims).not.toHaveProperty("auth_time");
    }
    const [{ token: shown = "" } = {}] = asked;
    await request(auth.origin).delete("/auth/users/me").set(bearer(shown)).expect(401);
    await ask(shown).expect(401);
    await get(token, "/auth/users/me").expect(200);
  });

  test("is no session of the person's", async () => {
    const { token } = await newcomer();
    const before = await get(token, "/auth/sessions").expect(200);
    await exported(token);
    const after = await get(token, "/auth/sessions").expect(200);
    expect(after.body.items?.length ?? after.body.length).toBe(
      before.body.items?.length ?? before.body.length,
    );
  });

  test("can be asked for by no client", async () => {
    const { body } = await request(auth.origin)
      .get("/auth/.well-known/openid-configuration")
      .expect(200);
    expect(body.scopes_supported).toContain("posts:read");
    expect(body.scopes_supported).not.toContain("personal-data:read");
  });
});

describe("whoever is not the owner", () => {
  test("finds no such export (404), byte for byte as when there is none", async () => {
    const [owner, stranger] = [await newcomer(), await newcomer()];
    const { view } = await exported(owner.token);
    const missing = `${path}/${crypto.randomUUID()}`;
    const told = ({ traceId: _, ...rest }: { traceId: string }) => rest;
    for (const suffix of ["", "/data"]) {
      const foreign = await get(stranger.token, `${path}/${view.id}${suffix}`).expect(404);
      const none = await get(stranger.token, `${missing}${suffix}`).expect(404);
      expect(told(foreign.body)).toEqual(told(none.body));
      await request(auth.origin).get(`${path}/${view.id}${suffix}`).expect(401);
    }
    await get(owner.token, view.data).expect(200);
    await get(owner.token, `${path}/1`).expect(400);
  });

  test("needs a sign-in of the last minutes, to ask and to fetch; a thief's session is older (401)", async () => {
    const client = await createRelyingParty(auth, "exporting");
    const tokens = await client.signIn(person);
    await auth.mongo
      .collection("refreshTokenFamilies")
      .updateMany({}, { $inc: { "payload.authTime": -600 } });
    const old = (await client.refresh(tokens.refresh_token ?? "")).access_token;
    const { accessToken } = await signIn(auth, person);
    const { view } = await exported(accessToken);
    for (const refused of [await ask(old), await get(old, view.data)]) {
      expect(refused.status).toBe(401);
      expect(refused.headers["www-authenticate"]).toContain("insufficient_user_authentication");
    }
    await get(old, `${path}/${view.id}`).expect(200);
  });
});

describe("what is kept of an export", () => {
  test("is sealed: nothing of it can be read in the database", async () => {
    const { token, id, email } = await newcomer();
    const { view } = await exported(token);
    const pages = await collection("exportPages").find({ exportId: view.id }).toArray();
    expect(pages.length).toBeGreaterThan(others.length);
    const text = JSON.stringify(pages);
    expect(text).toContain(id);
    for (const secret of [email, "posts says 1"]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(Buffer.from(secret).toString("base64url").slice(2, -2));
    }
    expect(auth.logged()).not.toContain(email);
  });

  test("opens in its own place only: pages that were exchanged are refused", async () => {
    const { token } = await newcomer();
    const { view } = await exported(token);
    const [one, two] = ["posts 0", "cards 0"].map((place) => `${view.id} ${place}`);
    const taken = await collection("exportPages").findOne({ _id: one ?? "" });
    const { sealed } = taken as unknown as { sealed: string };
    await collection("exportPages").updateOne({ _id: two ?? "" }, { $set: { sealed } });
    await expect(get(token, view.data)).rejects.toThrow();
  });

  test("ends after a day, also when it was not fetched", async () => {
    const { token } = await newcomer();
    const { view } = await exported(token);
    const hours = (Date.parse(view.expiresAt) - Date.now()) / 3_600_000;
    expect(Math.round(hours)).toBe(24);
    await auth.mongo.collection("exports").updateMany({}, { $set: { expiresAt: new Date(1) } });
    await get(token, `${path}/${view.id}`).expect(404);
    await get(token, view.data).expect(404);
    for (const name of ["exports", "exportPages"]) {
      const indexes = await collection(name).indexes();
      expect(indexes).toContainEqual(
        expect.objectContaining({ key: { expiresAt: 1 }, expireAfterSeconds: 0 }),
      );
    }
  });

  test("goes when the account is erased, also what is just being collected", async () => {
    const { token, id } = await newcomer();
    away.add("cards");
    await ask(token).expect(202);
    await expect
      .poll(() => collection("exportPages").countDocuments({ accountId: id } as object), {
        timeout: 15_000,
      })
      .toBeGreaterThan(0);
    await request(auth.origin).delete("/auth/users/me").set(bearer(token)).expect(202);
    away.clear();
    for (const name of ["exports", "exportPages"]) {
      expect(await collection(name).countDocuments({ accountId: id } as object)).toBe(0);
    }
  });
});
