import { randomBytes, randomUUID } from "node:crypto";
import { createBrowser } from "@portico/dev-env";
import { accountErasedType } from "@portico/service-kit/events";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { addMember, newPerson, type Person, signIn, signUp } from "../testing/people.ts";
import { createRelyingParty, type RelyingParty, refusalOf } from "../testing/relying-party.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";
import { holders } from "./erasure.ts";

let auth: TestAuth;
let client: RelyingParty;
beforeAll(async () => {
  auth = await startAuth(inject("stores"));
  client = await createRelyingParty(auth, "leaving");
});
afterAll(() => auth.stop());

const others = holders.filter((holder) => holder !== "auth");
const never = "x".repeat(43);

const erase = (token: string) =>
  request(auth.origin).delete("/auth/users/me").set("Authorization", `Bearer ${token}`);

const me = (token: string) =>
  request(auth.origin).get("/auth/users/me").set("Authorization", `Bearer ${token}`);

/** Somebody who has gone: who they were, and the receipt that they got. */
async function leave(person?: Person) {
  const leaving = person ?? (await addMember(auth));
  const { accessToken, account } = await signIn(auth, leaving);
  const { body, headers } = await erase(accessToken).expect(202);
  return { person: leaving, accountId: account.id, accessToken, receipt: body, headers };
}

const receiptOf = async (id: string) =>
  (await request(auth.origin).get(`/auth/erasures/${id}`).expect(200)).body;

/** As the relay of another service would. */
const answer = (service: string, accountId: string, final: boolean) =>
  auth.redis.xadd(
    `events:${service}`,
    "*",
    "event",
    JSON.stringify({
      specversion: "1.0",
      id: randomUUID(),
      source: `/${service}`,
      type: `dev.portico.${service}.${accountErasedType}`,
      time: new Date().toISOString(),
      datacontenttype: "application/json",
      data: { accountId, final },
    }),
  );

/** What auth told the others about an account, oldest first. */
async function toldOthers(accountId: string): Promise<unknown[]> {
  const entries = await auth.redis.xrange("events:auth", "-", "+");
  return entries
    .map(([, [, event = ""]]) => JSON.parse(event))
    .filter(({ type, data }) => type.endsWith(accountErasedType) && data.accountId === accountId)
    .map(({ data }) => data.final);
}

const erasures = () => auth.mongo.collection<{ _id: string; askAt: Date }>("erasures");
const itIsTimeToAsk = (accountId: string) =>
  erasures().updateOne({ accountId }, { $set: { askAt: new Date(0) } });

const eventually = (check: () => Promise<void>) =>
  vi.waitFor(check, { timeout: 15_000, interval: 100 });

describe("erasing one's account", () => {
  test("ends it, and answers a receipt that can be read without it (202)", async () => {
    const { receipt, headers } = await leave();
    expect(receipt).toMatchObject({ state: "erasing", completedAt: null });
    expect(Object.keys(receipt.services)).toEqual([...holders]);
    expect(headers.location).toBe(`/auth/erasures/${receipt.id}`);
    expect((await receiptOf(receipt.id)).id).toBe(receipt.id);
  });

  test("ends every token at once, and the password opens nothing any more", async () => {
    const person = await addMember(auth);
    const tokens = await client.signIn(person);
    await me(tokens.access_token).expect(200);
    const { accessToken } = await leave(person);
    for (const token of [accessToken, tokens.access_token]) await me(token).expect(401);
    expect(await refusalOf(client.refresh(tokens.refresh_token ?? ""))).toBe("invalid_grant");
    await request(auth.origin)
      .post("/auth/sign-in")
      .send({ email: person.email, password: person.password })
      .expect(401);
  });

  test("frees the address: whoever signs up with it is somebody else", async () => {
    const { person, accountId } = await leave();
    await signUp(auth, person);
    const again = await signIn(auth, person);
    expect(again.account.id).not.toBe(accountId);
  });

  test("tells the other services in the transaction that removes the account", async () => {
    const { accountId } = await leave();
    await eventually(async () => expect(await toldOthers(accountId)).toEqual([false]));
  });

  test("happens once, also for two at once", async () => {
    const { accessToken, account } = await signIn(auth, await signUp(auth));
    const replies = await Promise.all([1, 2, 3].map(() => erase(accessToken)));
    expect(replies.map(({ status }) => status).sort()).toEqual([202, 401, 401]);
    expect(await erasures().countDocuments({ accountId: account.id })).toBe(1);
  });

  test("needs a token (401), and one of a person", async () => {
    await request(auth.origin).delete("/auth/users/me").expect(401);
    await erase("a.b.c").expect(401);
  });

  test("needs a sign-in of the last minutes, and says so as RFC 9470 does (401)", async () => {
    const person = await addMember(auth);
    const tokens = await client.signIn(person);
    // As if the refresh token had been used for ten minutes.
    await auth.mongo
      .collection("refreshTokenFamilies")
      .updateMany({}, { $inc: { "payload.authTime": -600 } });
    const { access_token } = await client.refresh(tokens.refresh_token ?? "");
    const refused = await erase(access_token).expect(401);
    expect(refused.headers["www-authenticate"]).toBe(
      'Bearer error="insufficient_user_authentication", max_age="300"',
    );
    await me(access_token).expect(200);
    await leave(person);
  });
});

describe("the receipt", () => {
  test("says which services are done, and is complete when all have confirmed", async () => {
    const { accountId, receipt } = await leave();
    await answer("posts", accountId, false);
    await eventually(async () => {
      const { services } = await receiptOf(receipt.id);
      expect([services.auth.erasedAt, services.posts.erasedAt]).not.toContain(null);
      expect([services.posts.confirmedAt, services.cards.erasedAt]).toEqual([null, null]);
    });

    await itIsTimeToAsk(accountId);
    await eventually(async () => expect(await toldOthers(accountId)).toEqual([false, true]));
    for (const service of others) await answer(service, accountId, true);
    await eventually(async () => expect((await receiptOf(receipt.id)).state).toBe("complete"));
    const { services } = await receiptOf(receipt.id);
    expect(Object.values(services)).not.toContainEqual(
      expect.objectContaining({ confirmedAt: null }),
    );
    expect(services.posts.erasedAt < services.posts.confirmedAt).toBe(true);
  });

  test("is not complete while one service is away, which is asked again", async () => {
    const { accountId, receipt } = await leave();
    await itIsTimeToAsk(accountId);
    for (const service of others.slice(1)) await answer(service, accountId, true);
    await eventually(async () =>
      expect((await receiptOf(receipt.id)).services.patients.confirmedAt).not.toBeNull(),
    );
    await eventually(async () => expect(await toldOthers(accountId)).toEqual([false, true]));
    expect((await receiptOf(receipt.id)).state).toBe("erasing");
    await itIsTimeToAsk(accountId);
    await eventually(async () => expect(await toldOthers(accountId)).toEqual([false, true, true]));
    await answer(others[0] ?? "", accountId, true);
    await eventually(async () => expect((await receiptOf(receipt.id)).state).toBe("complete"));
  });

  test("is unknown to whoever does not have it (404), and never guessed at (400)", async () => {
    await request(auth.origin).get(`/auth/erasures/${never}`).expect(404);
    await request(auth.origin).get("/auth/erasures/1").expect(400);
    const { receipt } = await leave();
    expect(JSON.stringify(await erasures().find().toArray())).not.toContain(receipt.id);
  });
});

describe("what is left of somebody who left", () => {
  /** Where an account's id may stand for a while, and until when. */
  const mayStandIn = new Set([
    // Until every service has confirmed.
    "erasures",
    // Seven days, so that Redis may forget.
    "outbox",
    // For as long as an access token that was made before could live.
    "revocations",
  ]);

  const isIn = async (needle: string): Promise<string[]> => {
    const collections = (await auth.mongo.listCollections()).filter(
      // The profiler's, which only tests switch on.
      ({ name }) => !name.startsWith("system."),
    );
    const found = await Promise.all(
      collections.map(async ({ name }) => {
        const documents = await auth.mongo.collection(name).find().toArray();
        return JSON.stringify(documents).includes(needle) ? [name] : [];
      }),
    );
    return found.flat();
  };

  test("is no address and no name anywhere, and an id only where it ends by itself", async () => {
    const name = `Ada ${randomBytes(6).toString("hex")}`;
    const person = { ...newPerson(), name };
    await signUp(auth, person);
    const tokens = await client.signIn(person);
    const browser = createBrowser(auth.origin);
    const page = await browser.open("/auth/browser-session/start?return_to=/");
    await browser.submit(page, { email: person.email, password: person.password });
    expect((await browser.fetch("/auth/browser-session")).status).toBe(200);
    const { account } = await signIn(auth, person);
    for (const needle of [person.email, name, account.id]) {
      expect(await isIn(needle)).toContain("accounts");
    }

    await leave(person);
    await me(tokens.access_token).expect(401);
    expect((await browser.fetch("/auth/browser-session")).status).toBe(401);
    expect((await browser.fetch("/auth/users/me")).status).toBe(401);
    expect(await isIn(person.email)).toEqual([]);
    expect(await isIn(name)).toEqual([]);
    expect((await isIn(account.id)).filter((where) => !mayStandIn.has(where))).toEqual([]);
    expect(auth.logged()).not.toContain(person.email);
  });

  test("is not even the id once every service has confirmed", async () => {
    const { accountId, receipt } = await leave();
    await itIsTimeToAsk(accountId);
    for (const service of others) await answer(service, accountId, true);
    await eventually(async () => expect((await receiptOf(receipt.id)).state).toBe("complete"));
    expect(JSON.stringify(await erasures().find().toArray())).not.toContain(accountId);
  });
});
