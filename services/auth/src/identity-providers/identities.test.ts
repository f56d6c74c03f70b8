import { randomUUID } from "node:crypto";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { createSecondFactorStore } from "../second-factor/second-factor-store.ts";
import {
  createJourney,
  type Federation,
  newcomer,
  startFederation,
} from "../testing/federation.ts";
import { addMember, type Person, signIn } from "../testing/people.ts";
import { idOf } from "../testing/second-factors.ts";

let federation: Federation;
beforeAll(async () => {
  federation = await startFederation(inject("stores"));
});
afterAll(() => federation.stop());

const path = "/auth/users/me/identities";
type Token = { accessToken: string };

const list = ({ accessToken }: Token) =>
  request(federation.auth.origin).get(path).set("Authorization", `Bearer ${accessToken}`);

const unlink = ({ accessToken }: Token, id: string) =>
  request(federation.auth.origin)
    .delete(`${path}/${id}`)
    .set("Authorization", `Bearer ${accessToken}`);

const linked = () => federation.auth.mongo.collection("linkedIdentities");

/** Somebody without a password, and a token of theirs. */
async function whoCameBy(provider: "one" | "two", person = newcomer()) {
  const { sub, email } = federation[provider].people.add(person);
  const steps = createJourney(federation);
  const end = await steps.arrive(sub, provider === "one" ? "One ID" : "Two ID");
  const { access_token } = await steps.tokens(end);
  return { sub, email, accessToken: access_token };
}

/** Links the identity of a provider to whom the address belongs, who proves it by their password. */
async function link(provider: "one" | "two", person: Person) {
  const { sub } = federation[provider].people.add(newcomer({ email: person.email }));
  const steps = createJourney(federation);
  const page = await steps.arrive(sub, provider === "one" ? "One ID" : "Two ID");
  await steps.browser.submit(page, person);
  return sub;
}

async function withPassword() {
  const person = await addMember(federation.auth);
  await link("one", person);
  return { person, token: await signIn(federation.auth, person) };
}

const onlyId = async (token: Token): Promise<string> => (await list(token)).body.items[0].id;

describe("list identities", () => {
  test("shows what opens the caller's account, and nobody else's (200)", async () => {
    const { person, token } = await withPassword();
    await withPassword();
    const { body } = await list(token).expect(200);
    expect(body.items).toEqual([
      {
        id: expect.any(String),
        provider: "One ID",
        issuer: federation.one.url,
        email: person.email,
        linkedAt: expect.any(String),
        usedAt: expect.any(String),
      },
    ]);
    const stranger = await signIn(federation.auth, await addMember(federation.auth));
    expect((await list(stranger).expect(200)).body).toEqual({ items: [] });
  });

  test("needs a token (401), and has no other method (405)", async () => {
    await request(federation.auth.origin).get(path).expect(401);
    await request(federation.auth.origin).post(path).send({}).expect(405);
  });
});

describe("unlink an identity", () => {
  test("that is not the last way in: it opens nothing from then on, and the owner is told (204)", async () => {
    const { person, token } = await withPassword();
    await unlink(token, await onlyId(token)).expect(204);
    expect((await list(token)).body.items).toEqual([]);
    const steps = createJourney(federation);
    const { sub } = federation.one.people.add(newcomer({ email: person.email }));
    expect((await steps.arrive(sub)).body).toContain("has an account here already");
    const about = { to: person.email, subject: "no longer opens your account" };
    expect((await federation.auth.inbox.waitFor(about, 10_000)).text).toContain("One ID");
  });

  test("ends every other session of the account, and not the caller's", async () => {
    const { person, token } = await withPassword();
    const other = await signIn(federation.auth, person);
    await unlink(token, await onlyId(token)).expect(204);
    await expect
      .poll(async () => (await list(other)).status, { timeout: 5_000, interval: 50 })
      .toBe(401);
    await list(token).expect(200);
  });

  test("refuses the last way in (409), until there is another", async () => {
    const one = await whoCameBy("one");
    const id = await onlyId(one);
    expect((await unlink(one, id).expect(409)).body.code).toBe("last-way-in");
    const accountId = await idOf(federation.auth, { email: one.email, password: "" });
    const passkey = {
      id: randomUUID(),
      publicKey: new Uint8Array(8),
      counter: 0,
      transports: [],
      name: "Phone",
      addedAt: new Date(),
      usedAt: null,
    };
    await createSecondFactorStore(federation.auth.mongo).addPasskey(accountId, passkey);
    await unlink(one, id).expect(204);
  });

  test("of two at once that are the last two, one stays", async () => {
    const person = newcomer();
    const one = await whoCameBy("one", person);
    const { sub } = federation.two.people.add(person);
    const steps = createJourney(federation);
    const page = await steps.leave(await steps.arrive(sub, "Two ID"), "One ID");
    const end = await steps.browser.open(await steps.pick(page, one.sub));
    const token = { accessToken: (await steps.tokens(end)).access_token };
    const { items } = (await list(token).expect(200)).body;
    expect(items.map(({ provider }: { provider: string }) => provider)).toEqual([
      "One ID",
      "Two ID",
    ]);

    const replies = await Promise.all(items.map(({ id }: { id: string }) => unlink(token, id)));
    expect(replies.map(({ status }) => status).sort()).toEqual([204, 409]);
    expect(await linked().countDocuments({ email: person.email })).toBe(1);
  });

  test("somebody else's looks like one that is not there (404), and so does one that is gone", async () => {
    const [owner, stranger] = [await withPassword(), await withPassword()];
    const id = await onlyId(owner.token);
    const foreign = await unlink(stranger.token, id).expect(404);
    const missing = await unlink(stranger.token, randomUUID()).expect(404);
    expect({ ...foreign.body, traceId: "" }).toEqual({ ...missing.body, traceId: "" });
    await unlink(owner.token, id).expect(204);
    await unlink(owner.token, id).expect(404);
  });

  test("needs an id (400), and a token (401)", async () => {
    const { token } = await withPassword();
    await unlink(token, "x").expect(400);
    await request(federation.auth.origin).delete(`${path}/${randomUUID()}`).expect(401);
  });

  test("needs a sign-in of the last five minutes (401)", async () => {
    const { sub } = federation.one.people.add(newcomer());
    const steps = createJourney(federation);
    const fresh = await steps.tokens(await steps.arrive(sub));
    const signedInAt = Number(fresh.claims()?.auth_time);
    await federation.auth.mongo
      .collection("sessions")
      .updateMany(
        { "payload.accountId": fresh.claims()?.sub },
        { $set: { "payload.loginTs": signedInAt - 301 } },
      );
    const old = await steps.tokens(await steps.open());
    const tooOld = await unlink({ accessToken: old.access_token }, randomUUID()).expect(401);
    expect(tooOld.headers["www-authenticate"]).toContain("insufficient_user_authentication");
    await unlink({ accessToken: fresh.access_token }, randomUUID()).expect(404);
  });
});

describe("the erasure of an account", () => {
  test("takes its identities along: who comes again is somebody new", async () => {
    const one = await whoCameBy("one");
    await request(federation.auth.origin)
      .delete("/auth/users/me")
      .set("Authorization", `Bearer ${one.accessToken}`)
      .expect(202);
    expect(await linked().countDocuments({ subject: one.sub })).toBe(0);
    const again = createJourney(federation);
    const { access_token } = await again.tokens(await again.arrive(one.sub));
    expect((await list({ accessToken: access_token }).expect(200)).body.items).toHaveLength(1);
    expect(await linked().countDocuments({ subject: one.sub })).toBe(1);
  });
});
