/**
 * Guessing at passwords through the real gateway: it is where the client's address comes from, so no
 * header, and no spelling of path or account, gets anybody more guesses.
 */
import { randomUUID } from "node:crypto";
import { Agent, request } from "node:http";
import { describe, expect, inject, it } from "vitest";
import { call } from "../http.ts";

const { ready } = inject("platform");

interface User {
  email: string;
  password: string;
}

async function newUser(): Promise<User> {
  const { status, body } = await call(`${ready.gateway}/auth/test-users`, { method: "POST" });
  expect(status).toBe(201);
  return body;
}

interface Guess {
  path?: string;
  email?: string;
  headers?: Record<string, string>;
  /** Of 127.0.0.0/8: all of it is this machine's, and each a place of its own. */
  from?: string;
}

/** The status of a sign-in with `password`. */
function signIn(user: User, { path = "/auth/sign-in", headers, ...guess }: Guess = {}) {
  const body = JSON.stringify({ email: guess.email ?? user.email, password: user.password });
  return new Promise<{ status: number; retryAfter: number }>((resolve, reject) => {
    const sending = request(ready.gateway, {
      path,
      method: "POST",
      agent: new Agent({ localAddress: guess.from ?? "127.0.0.1" }),
      headers: { "content-type": "application/json", ...headers },
    });
    sending.on("error", reject).on("response", (answer) => {
      answer.resume();
      const retryAfter = Number(answer.headers["retry-after"]);
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, retryAfter }));
    });
    sending.end(body);
  });
}

const guesses = 12;

/** How many of a row of wrong passwords were looked at. */
async function lookedAt(guessOf: (n: number, user: User) => Guess): Promise<number> {
  const user = await newUser();
  let count = 0;
  for (let n = 0; n < guesses; n += 1) {
    const wrong = { ...user, password: "not the password" };
    const { status, retryAfter } = await signIn(wrong, guessOf(n, user));
    expect([401, 429]).toContain(status);
    if (status === 401) count += 1;
    else expect(retryAfter).toBeGreaterThan(0);
  }
  return count;
}

const claimed = (n: number) => `198.51.100.${n}`;
const claims: Record<string, (n: number) => Record<string, string>> = {
  "X-Forwarded-For": (n) => ({ "X-Forwarded-For": claimed(n) }),
  "X-Forwarded-For, two": (n) => ({ "X-Forwarded-For": `${claimed(n)}, ${claimed(n + 1)}` }),
  Forwarded: (n) => ({ Forwarded: `for=${claimed(n)}` }),
  "X-Real-IP": (n) => ({ "X-Real-IP": claimed(n) }),
  "X-Envoy-External-Address": (n) => ({ "X-Envoy-External-Address": claimed(n) }),
  "True-Client-IP": (n) => ({ "True-Client-IP": claimed(n) }),
  "X-Client-IP": (n) => ({ "X-Client-IP": claimed(n) }),
  "CF-Connecting-IP": (n) => ({ "CF-Connecting-IP": claimed(n) }),
};

describe("guesses at one account", () => {
  it("are few from one place, and free from another", async () => {
    expect(await lookedAt(() => ({}))).toBeLessThan(9);
    expect(await lookedAt((n) => ({ from: `127.7.0.${n + 1}` }))).toBeGreaterThan(9);
  });

  it.each(Object.entries(claims))("are no more with %s", async (_, headersOf) => {
    expect(await lookedAt((n) => ({ headers: headersOf(n) }))).toBeLessThan(9);
  });

  it("are no more under another spelling of the account", async () => {
    const spellings = [
      (email: string) => email.toUpperCase(),
      (email: string) => ` ${email}`,
      (email: string) => email.replace(".test", ".TEST"),
    ];
    const spelled = (n: number, { email }: User) => ({
      email: (spellings[n % 3] ?? String)(email),
    });
    expect(await lookedAt(spelled)).toBeLessThan(9);
  });

  it.each(["/auth//sign-in", "/auth/./sign-in", "/auth/x/../sign-in"])(
    "are no more at %s",
    async (path) => {
      expect(await lookedAt((n) => ({ path: n % 2 ? path : "/auth/sign-in" }))).toBeLessThan(9);
    },
  );

  it.each(["/auth/sign-in/", "/AUTH/sign-in", "/auth/Sign-In", "/auth/sign%2Din"])(
    "are no more at %s, where the right password gets in or nobody",
    async (path) => {
      const opens = (await signIn(await newUser(), { path })).status === 200;
      expect(opens ? await lookedAt(() => ({ path })) : 0).toBeLessThan(9);
    },
  );

  it("do not keep the owner out elsewhere", async () => {
    const owner = await newUser();
    const wrong = { ...owner, password: "not the password" };
    for (let n = 0; n < guesses; n += 1) await signIn(wrong);
    expect((await signIn(owner)).status).toBe(429);
    expect((await signIn(owner, { from: "127.7.1.1" })).status).toBe(200);
  });

  it("are as few where there is no account", async () => {
    const unknown = { email: `${randomUUID()}@portico.example`, password: "not the password" };
    let count = 0;
    for (let n = 0; n < guesses; n += 1) {
      if ((await signIn(unknown)).status === 401) count += 1;
    }
    expect(count).toBeLessThan(9);
  });
});
