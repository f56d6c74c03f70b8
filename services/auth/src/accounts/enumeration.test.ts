/** Nothing that can be seen or timed from outside tells whether an address has an account. */
import { createBrowser, type Visit } from "@portico/dev-env";
import request, { type Response } from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { createClientStore } from "../clients/client-store.ts";
import { newPerson, type Person, signUp, signUpVerified } from "../testing/people.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
beforeAll(async () => {
  auth = await startAuth(inject("stores"));
  await createClientStore(auth.mongo).save({
    client_id: "web",
    token_endpoint_auth_method: "none",
    redirect_uris: ["https://web.example/callback"],
  });
});
afterAll(() => auth.stop());

type Ask = (email: string) => Promise<Response>;

const post =
  (path: string, more: object = {}): Ask =>
  (email) =>
    request(auth.origin)
      .post(path)
      .send({ email, ...more });

const password = "a good long password";

const questions: [what: string, ask: Ask][] = [
  ["a sign-in", post("/auth/sign-in", { password: "not the password" })],
  ["a sign-up", post("/auth/sign-up", { password })],
  ["a request for a reset", post("/auth/password-resets")],
];

/** More people like this one, at once. */
async function copiesOf(person: Person, howMany: number): Promise<Person[]> {
  const accounts = auth.mongo.collection<{ _id: string; email: string }>("accounts");
  const original = await accounts.findOne({ email: person.email });
  const copies = Array.from({ length: howMany }, () => ({ ...person, email: newPerson().email }));
  await accounts.insertMany(
    copies.map(({ email }) => ({ ...original, email, _id: crypto.randomUUID() })),
  );
  return copies;
}

/** All that was answered, but for what is another with every answer, and the address that was asked about. */
const toldBy = ({ status, headers, text }: Response, email: string) => {
  const { date: _, "content-length": __, ...kept } = headers;
  const body = text.replaceAll(email, "ADDRESS").replace(/"traceId":"\w+"/, "");
  return JSON.stringify({ status, headers: kept, body });
};

describe("the answer to", () => {
  test.each(questions)("%s is the same, byte for byte", async (_, ask) => {
    const [unverified, verified] = [await signUp(auth), await signUpVerified(auth)];
    const suspended = await signUpVerified(auth);
    await auth.mongo
      .collection("accounts")
      .updateOne({ email: suspended.email }, { $set: { status: "suspended" } });
    const told = [];
    for (const { email } of [newPerson(), unverified, verified, suspended]) {
      told.push(toldBy(await ask(email), email));
    }
    expect(new Set(told).size).toBe(1);
  });

  test.each(questions)("%s stays the same as often as it is asked", async (_, ask) => {
    const told = async ({ email }: Person) => {
      const answers = [];
      for (let n = 0; n < 12; n += 1) answers.push(toldBy(await ask(email), email));
      // How long to wait depends on when it was asked.
      return answers.map((one) => one.replaceAll(/\d+ seconds|"retry-after":"\d+"/g, ""));
    };
    expect(await told(newPerson())).toEqual(await told(await signUpVerified(auth)));
  });

  test("a suspended person's wrong password is as to anybody's; only the right one hears of it (403)", async () => {
    const person = await signUpVerified(auth);
    await auth.mongo
      .collection("accounts")
      .updateOne({ email: person.email }, { $set: { status: "suspended" } });
    await post("/auth/sign-in", { password: "not it at all" })(person.email).then((reply) =>
      expect([reply.status, reply.body.code]).toEqual([401, "invalid-credentials"]),
    );
    await post("/auth/sign-in", { password: person.password })(person.email).then((reply) =>
      expect([reply.status, reply.body.code]).toEqual([403, "account-suspended"]),
    );
  });
});

/** What is another on each page: ids, tokens of forms, and what was typed. */
const shownBy = ({ status, body }: Visit, email: string) =>
  JSON.stringify([
    status,
    body
      .replaceAll(email, "ADDRESS")
      .replaceAll(/interaction[/=][\w-]+/g, "")
      .replaceAll(/name="form_token" value="[^"]*"/g, ""),
  ]);

describe("the page", () => {
  const authorize = `/auth/authorize?${new URLSearchParams({
    client_id: "web",
    response_type: "code",
    scope: "openid",
    redirect_uri: "https://web.example/callback",
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    code_challenge_method: "S256",
  })}`;

  test.each([
    ["for signing in", authorize, { password: "not the password" }],
    ["for a forgotten password", "/auth/forgot-password", {}],
  ])("%s shows the same", async (_, path, more) => {
    const shown = [];
    for (const { email } of [newPerson(), await signUpVerified(auth)]) {
      const browser = createBrowser(auth.origin);
      const visit = await browser.submit(await browser.open(path), { email, ...more });
      shown.push(shownBy(visit, email));
    }
    expect(shown[0]).toBe(shown[1]);
    expect(shown[0]).not.toContain("This did not work");
  });
});

describe("the time to", () => {
  const rounds = 25;

  const timeOf = async (ask: Ask, email: string): Promise<number> => {
    const startedAt = performance.now();
    await ask(email);
    return performance.now() - startedAt;
  };
  const median = (times: number[]) => times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0;

  /**
   * A machine that has other work makes both slower, and by turns neither more than the other. What is
   * left out for one of them (a hash, a write) makes it twice as fast or more.
   */
  test.each(questions)("answer %s is the same", { retry: 2, timeout: 60_000 }, async (_, ask) => {
    const known = await copiesOf(await signUpVerified(auth), rounds);
    const times: Record<"known" | "unknown", number[]> = { known: [], unknown: [] };
    for (const { email } of known) {
      times.known.push(await timeOf(ask, email));
      times.unknown.push(await timeOf(ask, newPerson().email));
    }
    const ratio = median(times.known) / median(times.unknown);
    expect(ratio).toBeGreaterThan(0.75);
    expect(ratio).toBeLessThan(1.33);
  });

  test("compare a password is that of argon2id, also where there is none to compare with", async () => {
    const withoutPassword = await signUpVerified(auth);
    await auth.mongo
      .collection("accounts")
      .updateOne({ email: withoutPassword.email }, { $set: { passwordHash: null } });
    const ask = post("/auth/sign-in", { password: "not the password" });
    const times = [];
    for (let n = 0; n < 4; n += 1) times.push(await timeOf(ask, withoutPassword.email));
    // The least that two passes over 19 MiB take on any machine, and ten times what the rest takes.
    expect(median(times)).toBeGreaterThan(12);
  });
});
