import fc from "fast-check";
import * as openid from "openid-client";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { addMember, type Person } from "../testing/people.ts";
import {
  createRelyingParty,
  type RelyingParty,
  refusalOf,
  type Tokens,
} from "../testing/relying-party.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";
import { familyCollection } from "./family-store.ts";

let auth: TestAuth;
let web: RelyingParty;
let app: RelyingParty;
let person: Person;

beforeAll(async () => {
  auth = await startAuth(inject("stores"));
  web = await createRelyingParty(auth, "web", "a-secret-that-only-tests-use-0123456789");
  app = await createRelyingParty(auth, "app");
  person = await addMember(auth);
});
afterAll(() => auth.stop());

const refreshTokenOf = (tokens: Tokens) => tokens.refresh_token ?? "none";
const begin = async (client = web) => refreshTokenOf(await client.signIn(person));
const rotate = async (token: string, client = web) => refreshTokenOf(await client.refresh(token));
const userinfo = ({ access_token }: Tokens) =>
  request(auth.origin).get("/auth/userinfo").set("Authorization", `Bearer ${access_token}`);
const families = () => auth.mongo.collection(familyCollection);

const reusesLogged = () =>
  auth
    .logged()
    .split("\n")
    .filter((line) => line.includes("refresh-token.reused"))
    .map((line) => JSON.parse(line));

describe("a refresh token", () => {
  test("is rotated on use, and each access token is good", async () => {
    let token = await begin();
    const seen = new Set([token]);
    for (let uses = 0; uses < 4; uses += 1) {
      const tokens = await web.refresh(token);
      await userinfo(tokens).expect(200);
      token = refreshTokenOf(tokens);
      seen.add(token);
    }
    expect(seen.size).toBe(5);
  });

  test("used by twenty at once gives all of them the same successor, which is good", async () => {
    const token = await begin();
    const answers = await Promise.all(Array.from({ length: 20 }, () => web.refresh(token)));
    const [successor, ...others] = new Set(answers.map(refreshTokenOf));
    expect(others).toEqual([]);
    expect(new Set(answers.map(({ access_token }) => access_token)).size).toBe(20);
    expect(await refusalOf(web.refresh(String(successor)))).toBe("accepted");
    expect(reusesLogged()).toEqual([]);
  });

  test("whose answer was lost is used again, as often as it takes, and writes nothing more", async () => {
    const token = await begin();
    const lost = await rotate(token);
    const before = await families().find().toArray();
    expect(await rotate(token)).toBe(lost);
    expect(await rotate(token)).toBe(lost);
    expect(await families().find().toArray()).toEqual(before);
    expect(await refusalOf(web.refresh(lost))).toBe("accepted");
  });

  test("whose successor was used is stolen: its family, its grant and their tokens end", async () => {
    const stolen = await begin();
    const next = await rotate(stolen);
    const tokens = await web.refresh(next);
    await userinfo(tokens).expect(200);

    expect(await refusalOf(web.refresh(stolen))).toBe("invalid_grant");
    for (const token of [stolen, next, refreshTokenOf(tokens)]) {
      expect(await refusalOf(web.refresh(token))).toBe("invalid_grant");
    }
    await userinfo(tokens).expect(401);
    const { sub } = tokens.claims() ?? {};
    expect(reusesLogged()).toEqual([
      expect.objectContaining({
        level: "warn",
        accountId: sub,
        clientId: "web",
        grantId: expect.any(String),
      }),
    ]);
    expect(auth.logged()).not.toContain(stolen);
  });

  test("that was stolen ends its own family only", async () => {
    const [other, stolen] = [await begin(), await begin()];
    await rotate(await rotate(stolen));
    expect(await refusalOf(web.refresh(stolen))).toBe("invalid_grant");
    expect(await refusalOf(web.refresh(other))).toBe("accepted");
  });

  test("is refused for another client, and stays good for its own, however old it is", async () => {
    const first = await begin();
    const second = await rotate(first);
    const third = await rotate(second);
    for (const token of [first, second, third]) {
      expect(await refusalOf(app.refresh(token))).toBe("invalid_grant");
    }
    expect(await refusalOf(web.refresh(third))).toBe("accepted");
  });

  test("is refused for more scopes than it has, and stays good", async () => {
    const token = await begin();
    const more = openid.refreshTokenGrant(web.configuration, token, { scope: "openid posts:read" });
    expect(await refusalOf(more)).toBe("invalid_scope");
    expect(await refusalOf(web.refresh(token))).toBe("accepted");
  });

  test("is refused without the key that it is bound to, and stays good, however old it is", async () => {
    const keyOf = async () =>
      openid.getDPoPHandle(app.configuration, await openid.randomDPoPKeyPair("ES256"));
    const [own, stranger] = [await keyOf(), await keyOf()];
    const refresh = (token: string, DPoP?: openid.DPoPHandle) =>
      openid.refreshTokenGrant(app.configuration, token, undefined, DPoP && { DPoP });
    const first = refreshTokenOf(await app.signIn(person, undefined, undefined, own));
    const third = refreshTokenOf(await refresh(refreshTokenOf(await refresh(first, own)), own));
    for (const token of [first, third]) {
      expect(await refusalOf(refresh(token, stranger))).toBe("invalid_grant");
      expect(await refusalOf(refresh(token))).toBe("invalid_grant");
    }
    expect(await refusalOf(refresh(third, own))).toBe("accepted");
  });

  test("is refused while the account is suspended, and stays good", async () => {
    const token = await begin();
    const suspend = (status: string) =>
      auth.mongo.collection("accounts").updateOne({ email: person.email }, { $set: { status } });
    await suspend("suspended");
    expect(await refusalOf(web.refresh(token))).toBe("invalid_grant");
    await suspend("active");
    expect(await refusalOf(web.refresh(token))).toBe("accepted");
  });

  test("of a client without a secret works as well", async () => {
    const token = await begin(app);
    expect(await rotate(token, app)).toBe(await rotate(token, app));
  });

  test("that nobody made is refused, and so is a generation of one's own", async () => {
    const token = await begin();
    const [family, , mac] = token.split(".");
    for (const made of ["x", `${family}.1.${mac}`, `${family}.0.${"A".repeat(43)}`]) {
      expect(await refusalOf(web.refresh(made))).toBe("invalid_grant");
    }
    expect(await refusalOf(web.refresh(token))).toBe("accepted");
  });
});

describe("many at once", () => {
  /** How many tabs use the stored token at once, and whether the first answer of them is kept. */
  const rounds = fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.boolean()), {
    minLength: 2,
    maxLength: 5,
  });

  test("tabs refresh and lose answers in any order, and are never signed out", async () => {
    await fc.assert(
      fc.asyncProperty(rounds, async (story) => {
        let stored = await begin();
        for (const [tabs, isKept] of story) {
          const given = await Promise.all(Array.from({ length: tabs }, () => rotate(stored)));
          expect(new Set(given).size).toBe(1);
          if (isKept) stored = given[0] ?? "";
        }
        expect(await refusalOf(web.refresh(stored))).toBe("accepted");
      }),
      { numRuns: 6 },
    );
  }, 60_000);

  test("a thief among them is refused, and ends the family for all", async () => {
    const stolen = await begin();
    const newest = await rotate(await rotate(stolen));
    const refusals = await Promise.all([
      refusalOf(web.refresh(stolen)),
      ...Array.from({ length: 5 }, () => refusalOf(web.refresh(newest))),
    ]);
    expect(refusals[0]).toBe("invalid_grant");
    for (const refusal of refusals) expect(refusal).toMatch(/^(accepted|invalid_grant)$/);
    const left = await Promise.all([newest, stolen].map((token) => refusalOf(web.refresh(token))));
    expect(left).toEqual(["invalid_grant", "invalid_grant"]);
  });
});

describe("a family", () => {
  test("that a database lost a write of goes on from the newest token", async () => {
    const first = await begin();
    const before = await families().find().toArray();
    const third = await rotate(await rotate(first));
    for (const { _id, ...kept } of before) await families().replaceOne({ _id }, kept);
    const fourth = await rotate(third);
    expect(await refusalOf(web.refresh(fourth))).toBe("accepted");
    expect(await refusalOf(web.refresh(first))).toBe("invalid_grant");
  });

  test("ends 14 days after its last use, and 90 days after it began", async () => {
    const dayS = 86_400;
    const nowS = Math.floor(Date.now() / 1000);
    const token = await begin();
    for (const { payload } of await families().find().toArray()) {
      expect(payload.exp - nowS).toBeGreaterThan(14 * dayS - 3600);
    }

    const age = (days: number) =>
      families().updateMany({}, { $set: { "payload.iiat": nowS - days * dayS } });
    await age(80);
    const next = await rotate(token);
    const [kept] = await families()
      .find({ "payload.rotations": { $gt: 0 } })
      .sort({ expiresAt: 1 })
      .toArray();
    expect(kept?.payload.exp - nowS).toBeLessThan(10 * dayS + 3600);
    expect(kept?.expiresAt.getTime() / 1000 - nowS).toBeLessThan(10 * dayS + 3600);

    await families().updateMany({}, { $set: { "payload.exp": nowS - 1 } });
    expect(await refusalOf(web.refresh(next))).toBe("invalid_grant");
  });

  test("ends with the revocation of any of its tokens", async () => {
    const first = await begin();
    const third = await rotate(await rotate(first));
    await openid.tokenRevocation(web.configuration, first);
    expect(await refusalOf(web.refresh(third))).toBe("invalid_grant");
  });

  test("is introspected by its tokens: the newest two are active", async () => {
    const first = await begin();
    const second = await rotate(first);
    const third = await rotate(second);
    const active = await Promise.all(
      [first, second, third].map((token) => openid.tokenIntrospection(web.configuration, token)),
    );
    expect(active.map((one) => one.active)).toEqual([false, true, true]);
    expect(await refusalOf(web.refresh(third))).toBe("accepted");
  });

  test("ends when the person signs out of the application, or everywhere", async () => {
    const send = (method: "post" | "delete", path: string, { access_token }: Tokens) =>
      request(auth.origin)[method](path).set("Authorization", `Bearer ${access_token}`).expect(204);
    const [one, other, third] = [
      await web.signIn(person),
      await web.signIn(person),
      await app.signIn(person),
    ];
    await send("post", "/auth/sign-out", one);
    expect(await refusalOf(web.refresh(refreshTokenOf(one)))).toBe("invalid_grant");
    expect(await refusalOf(app.refresh(refreshTokenOf(third)))).toBe("accepted");
    await send("delete", "/auth/sessions", other);
    expect(await refusalOf(web.refresh(refreshTokenOf(other)))).toBe("invalid_grant");
    expect(await refusalOf(app.refresh(refreshTokenOf(third)))).toBe("invalid_grant");
  });

  test("is kept without anything that could be used", async () => {
    const token = await begin();
    const kept = JSON.stringify(await families().find().toArray());
    for (const part of token.split(".").filter((part) => part.length > 1)) {
      expect(kept).not.toContain(part);
    }
  });
});
