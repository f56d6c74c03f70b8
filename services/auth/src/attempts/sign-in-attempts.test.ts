import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { createBrowser } from "@portico/dev-env";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { createClientStore } from "../clients/client-store.ts";
import { addMember, newPerson, type Person } from "../testing/people.ts";
import { placeNumber, postFrom } from "../testing/place.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
beforeAll(async () => {
  auth = await startAuth(inject("stores"));
});
afterAll(() => auth.stop());

const wrong = (person: Person) => ({ email: person.email, password: "not the password" });
const signInFrom = (place: string, { email, password }: Person, on = auth) =>
  postFrom(place, `${on.origin}/auth/sign-in`, { email, password });

/** One after the other; answers their statuses. */
async function guess(times: number, person: Person, placeOf: (n: number) => string, on = auth) {
  const statuses: number[] = [];
  for (let n = 0; n < times; n += 1) {
    statuses.push((await signInFrom(placeOf(n), wrong(person), on)).status);
  }
  return statuses;
}

const count = (statuses: number[], status: number) =>
  statuses.filter((one) => one === status).length;
const fromOnePlace = () => placeNumber(1);

/** As if every pause were over. */
const letPausesPass = async (on = auth) => {
  const pauses = await on.redis.keys("auth:attempts:*pause*");
  if (pauses.length > 0) await on.redis.del(...pauses);
};

describe("guessing at one account", () => {
  test("from one place: some are free, then each further one waits longer (429, Retry-After)", async () => {
    const person = await addMember(auth);
    expect(await guess(5, person, fromOnePlace)).toEqual([401, 401, 401, 401, 401]);
    const waits: number[] = [];
    for (let n = 0; n < 12; n += 1) {
      await letPausesPass();
      await signInFrom(fromOnePlace(), wrong(person)).expect(401);
      const refused = await signInFrom(fromOnePlace(), wrong(person)).expect(429);
      expect(refused.body.code).toBe("too-many-requests");
      waits.push(Number(refused.headers["retry-after"]));
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
  });

  test("a refused attempt costs nothing: also the right password waits, and not any longer", async () => {
    const person = await addMember(auth);
    await guess(8, person, fromOnePlace);
    const waiting = await signInFrom(fromOnePlace(), person).expect(429);
    expect(waiting.body.detail).toMatch(/^Too many attempts\. Try again in (a|\d+) seconds?\.$/);
    await letPausesPass();
    await signInFrom(fromOnePlace(), person).expect(200);
  });

  test("the owner elsewhere does not wait at all", async () => {
    const owner = await addMember(auth);
    await guess(9, owner, fromOnePlace);
    await signInFrom(placeNumber(2), owner).expect(200);
  });

  test("from a thousand places: no more guesses than from a few, and the owner gets in where they are known", async () => {
    const owner = await addMember(auth);
    const home = placeNumber(3000);
    await signInFrom(home, owner).expect(200);

    const statuses: number[] = [];
    for (let first = 0; first < 1_000; first += 100) {
      const places = Array.from({ length: 100 }, (_, n) => placeNumber(first + n));
      const replies = places.map((place) => signInFrom(place, wrong(owner)));
      statuses.push(...(await Promise.all(replies)).map(({ status }) => status));
    }
    expect(count(statuses, 401)).toBeLessThan(30);
    expect(count(statuses, 401) + count(statuses, 429)).toBe(1_000);

    await signInFrom(home, owner).expect(200);
    const elsewhere = await signInFrom(placeNumber(3001), owner).expect(429);
    expect(Number(elsewhere.headers["retry-after"])).toBeLessThanOrEqual(900);
    await letPausesPass();
    await signInFrom(placeNumber(3001), owner).expect(200);
  }, 120_000);

  test("a hundred in a row is the end, however long somebody waits in between", async () => {
    const person = await addMember(auth);
    const failures = (name: string) => auth.redis.keys(`auth:attempts:${name}:*`);
    await guess(1, person, fromOnePlace);
    for (const key of await failures("account-and-place")) {
      if (!key.includes("pause")) await auth.redis.set(key, 99, "EX", 3_600);
    }
    await letPausesPass();
    await signInFrom(fromOnePlace(), wrong(person)).expect(401);
    await letPausesPass();
    const refused = await signInFrom(fromOnePlace(), person).expect(429);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(3_000);
  });

  test("many at once get no more guesses than one after the other", async () => {
    const person = await addMember(auth);
    const replies = await Promise.all(
      Array.from({ length: 60 }, () => signInFrom(fromOnePlace(), wrong(person))),
    );
    const checked = count(
      replies.map(({ status }) => status),
      401,
    );
    expect(checked).toBeGreaterThanOrEqual(5);
    expect(checked).toBeLessThanOrEqual(10);
  });

  test("fifty right ones at once all get in", async () => {
    const person = await addMember(auth);
    const replies = await Promise.all(
      Array.from({ length: 50 }, () => signInFrom(fromOnePlace(), person)),
    );
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
  });

  test("the address in another spelling is the same account", async () => {
    const person = await addMember(auth);
    const spellings = [person.email, person.email.toUpperCase(), ` ${person.email}`];
    const statuses: number[] = [];
    for (let n = 0; n < 9; n += 1) {
      const spelled = { ...person, email: spellings[n % 3] ?? "" };
      statuses.push((await signInFrom(fromOnePlace(), wrong(spelled))).status);
    }
    expect(statuses).toEqual(await guess(9, await addMember(auth), fromOnePlace));
    expect(statuses).toContain(429);
  });

  test("an address without an account is limited as one that has one", async () => {
    const [known, unknown] = [await addMember(auth), newPerson()];
    const places = (n: number) => placeNumber(500 + (n % 4));
    expect(await guess(20, unknown, places)).toEqual(await guess(20, known, places));
  });
});

test("the sign-in page > says when to try again (429), and lets the person in then", async () => {
  await createClientStore(auth.mongo).save({
    client_id: "web",
    token_endpoint_auth_method: "none",
    redirect_uris: ["https://web.example/callback"],
  });
  const query = new URLSearchParams({
    client_id: "web",
    response_type: "code",
    scope: "openid",
    redirect_uri: "https://web.example/callback",
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    code_challenge_method: "S256",
  });
  const person = await addMember(auth);
  const browser = createBrowser(auth.origin);
  const page = await browser.open(`/auth/authorize?${query}`);
  for (let n = 0; n < 5; n += 1) {
    expect((await browser.submit(page, wrong(person))).status).toBe(400);
  }
  await browser.submit(page, wrong(person));
  const refused = await browser.submit(page, person);
  expect([refused.status, refused.body]).toEqual([429, expect.stringContaining("Try again in a")]);
  expect(refused.headers.get("retry-after")).toBe("1");
  await letPausesPass();
  expect((await browser.submit(page, person)).url.origin).toBe("https://web.example");
});

describe("a sign-in", () => {
  test("says how many failed since the last, from anywhere, and begins anew", async () => {
    const person = await addMember(auth);
    await guess(3, person, placeNumber);
    const { body } = await signInFrom(placeNumber(9), person).expect(200);
    expect(body.attempts).toBe(4);
    expect((await signInFrom(placeNumber(9), person).expect(200)).body.attempts).toBe(1);
  });

  test("makes the free ones free again where it came from", async () => {
    const person = await addMember(auth);
    for (let round = 0; round < 4; round += 1) {
      expect(count(await guess(5, person, fromOnePlace), 401)).toBe(5);
      await signInFrom(fromOnePlace(), person).expect(200);
    }
  });

  test("says nothing in its refusal about what others tried", async () => {
    const person = await addMember(auth);
    await guess(4, person, placeNumber);
    const { body } = await signInFrom(placeNumber(77), wrong(person)).expect(401);
    expect(JSON.stringify(body)).not.toMatch(/attempt/i);
  });
});

describe("guessing at many accounts", () => {
  let few: TestAuth;
  beforeAll(async () => {
    few = await startAuth(inject("stores"), { ATTEMPTS_PER_PLACE: "20" });
  });
  afterAll(() => few.stop());

  test("from one place ends at its limit, for everybody who is not known there", async () => {
    const [regular, stranger] = [await addMember(few), await addMember(few)];
    const office = placeNumber(10);
    await signInFrom(office, regular, few).expect(200);
    const statuses: number[] = [];
    for (let n = 0; n < 25; n += 1) {
      statuses.push((await signInFrom(office, wrong(newPerson()), few)).status);
    }
    expect(count(statuses, 401)).toBe(20);
    const refused = await signInFrom(office, stranger, few).expect(429);
    expect(Number(refused.headers["retry-after"])).toBeLessThanOrEqual(900);
    await signInFrom(office, regular, few).expect(200);
    await signInFrom(placeNumber(11), stranger, few).expect(200);
  });

  test("sign-ups from one place end at its limit (429)", async () => {
    const from = (place: string) => postFrom(place, `${few.origin}/auth/sign-up`, newPerson());
    for (let n = 0; n < 20; n += 1) await from(placeNumber(12)).expect(202);
    expect((await from(placeNumber(12)).expect(429)).headers["retry-after"]).toBeDefined();
    await from(placeNumber(13)).expect(202);
  });

  test("and requests for device codes, which say so as OAuth does", async () => {
    const from = (place: string) =>
      postFrom(place, `${few.origin}/auth/device-authorization`, { client_id: "nobody" });
    for (let n = 0; n < 20; n += 1) await from(placeNumber(16)).expect(400);
    const { headers, body } = await from(placeNumber(16)).expect(429);
    expect(Number(headers["retry-after"])).toBeGreaterThan(0);
    expect(body.error).toBe("slow_down");
    await from(placeNumber(17)).expect(400);
  });

  test("and tries of links, and requests for them", async () => {
    const tries = { verify: { token: "x".repeat(43) }, "password-resets": newPerson() };
    for (const [path, { ...body }] of Object.entries(tries)) {
      const { password: _, ...sent } = { password: "", ...body };
      const post = (place: string) => postFrom(place, `${few.origin}/auth/${path}`, sent);
      for (let n = 0; n < 20; n += 1) expect((await post(placeNumber(14))).status).not.toBe(429);
      await post(placeNumber(14)).expect(429);
      expect((await post(placeNumber(15))).status).not.toBe(429);
    }
  });
});

describe("where a request comes from", () => {
  const forged = (n: number): Record<string, string> => ({
    "X-Forwarded-For": `198.51.100.${n}`,
    Forwarded: `for=198.51.100.${n}`,
    "X-Real-IP": `198.51.100.${n}`,
    "X-Envoy-External-Address": `198.51.100.${n}`,
    "True-Client-IP": `198.51.100.${n}`,
  });

  async function guessForging(on: TestAuth, headersOf: (n: number) => Record<string, string>) {
    const person = await addMember(on);
    const statuses: number[] = [];
    for (let n = 0; n < 9; n += 1) {
      const post = request(on.origin).post("/auth/sign-in").set(headersOf(n));
      statuses.push((await post.send(wrong(person))).status);
    }
    return count(statuses, 401);
  }

  test("is what the socket says, whatever a client claims", async () => {
    const honest = await guessForging(auth, () => ({}));
    expect(await guessForging(auth, forged)).toBe(honest);
    expect(honest).toBeLessThan(9);
  });

  test("behind one trusted hop it is what that hop says, and nothing before it", async () => {
    const behind = await startAuth(inject("stores"), { TRUSTED_HOPS: "1" });
    const said = (n: number, hop: string) => ({ "X-Forwarded-For": `198.51.100.${n}, ${hop}` });
    const same = await guessForging(behind, (n) => said(n, "203.0.113.7"));
    const others = await guessForging(behind, (n) => said(7, `203.0.113.${n}`));
    const network = await guessForging(behind, (n) => said(7, `2001:db8::${n}`));
    await behind.stop();
    expect(same).toBe(await guessForging(auth, () => ({})));
    expect(others).toBe(9);
    expect(network).toBe(same);
  });
});

describe("without Redis", () => {
  test("nobody can count, so nobody signs in (503), and everything else goes on; then it comes back", async () => {
    const proxy = await createProxy(auth.environment.REDIS_URL ?? "");
    const cut = await startAuth(inject("stores"), { REDIS_URL: proxy.url });
    const person = await addMember(cut);
    const { body } = await signInFrom(fromOnePlace(), person, cut).expect(200);

    proxy.cut();
    const refused = await signInFrom(fromOnePlace(), person, cut).expect(503);
    expect(refused.headers["retry-after"]).toBe("1");
    await request(cut.origin)
      .get("/auth/users/me")
      .set("Authorization", `Bearer ${body.accessToken}`)
      .expect(200);

    await proxy.restore();
    await expect
      .poll(async () => (await signInFrom(fromOnePlace(), person, cut)).status, { timeout: 5_000 })
      .toBe(200);
    await cut.stop();
    proxy.cut();
  }, 60_000);
});

/** Redis as seen over a network that can fail. */
async function createProxy(target: string) {
  const redis = new URL(target);
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    return socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    const store = keep(connect(Number(redis.port), redis.hostname));
    keep(client).pipe(store).pipe(client);
  });
  const listen = (port: number) =>
    new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const through = new URL(target);
  through.host = `127.0.0.1:${port}`;
  return {
    url: through.href,
    cut() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
    restore: () => listen(port),
  };
}
