import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { newPerson, type Person, signIn, signUp, signUpVerified } from "../testing/people.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
beforeAll(async () => {
  auth = await startAuth(inject("stores"));
});
afterAll(() => auth.stop());

const post = (path: string, body: object, token?: string) => {
  const sending = request(auth.origin).post(path);
  if (token) sending.set("Authorization", `Bearer ${token}`);
  return sending.send(body);
};

/** As if it had: every counter ends by then. */
async function letAnHourPass() {
  for (const counter of await auth.redis.keys("auth:attempts:mail:*")) {
    const leftS = await auth.redis.ttl(counter);
    if (leftS >= 0 && leftS <= 3_600) await auth.redis.del(counter);
  }
}

/** All mail that the person got, when everything that was asked for until now was handled. */
async function mailsOf({ email }: Person): Promise<string[]> {
  const account = await auth.mongo.collection("accounts").findOne({ email });
  const events = await auth.mongo
    .collection("outbox")
    .find({ "event.subject": account?._id, "event.type": { $not: /mail-withheld$/ } })
    .toArray();
  const inbox = auth.mongo.collection<{ _id: string }>("inbox");
  const handled = { _id: { $in: events.map(({ event }) => `auth:${event.id}`) } };
  await expect.poll(() => inbox.countDocuments(handled), { timeout: 15_000 }).toBe(events.length);
  return auth.inbox.messages({ to: email }).map(({ subject }) => subject);
}

/** One by one: of two requests that are handled at once only the newer one's mail is sent. */
async function times(howMany: number, person: Person, ask: () => request.Test): Promise<string[]> {
  const answers = new Set<string>();
  for (let n = 0; n < howMany; n += 1) {
    const { status, text } = await ask();
    answers.add(`${status} ${text}`);
    await mailsOf(person);
  }
  return [...answers];
}

describe("mail that others can ask for", () => {
  test("a link to reset the password comes five times an hour, and the answer does not tell", async () => {
    const person = await signUpVerified(auth);
    auth.inbox.clear();
    await letAnHourPass();
    const ask = () => post("/auth/password-resets", { email: person.email });
    expect(await times(9, person, ask)).toEqual(['202 {"status":"reset-requested"}']);
    expect(await mailsOf(person)).toEqual(Array(5).fill("Choose a new password"));
  });

  test("the last link that came works still", async () => {
    const person = await signUpVerified(auth);
    await times(9, person, () => post("/auth/password-resets", { email: person.email }));
    await mailsOf(person);
    const [newest] = auth.inbox.messages({ to: person.email, subject: "Choose" });
    const token = new URL(newest?.links[0] ?? "").searchParams.get("token");
    await post("/auth/reset", { token, password: "a better one by far" }).expect(200);
  });

  test("a verification link comes three times an hour, that of the sign-up among them", async () => {
    const person = await signUp(auth);
    const { accessToken } = await signIn(auth, person);
    await mailsOf(person);
    expect(await times(6, person, () => post("/auth/verification", {}, accessToken))).toHaveLength(
      1,
    );
    await times(3, person, () => post("/auth/sign-up", person));
    expect(await mailsOf(person)).toEqual(Array(3).fill("Verify your e-mail address"));
  });

  test("no more than five of all kinds, and whatever others ask for, a reset is among them", async () => {
    const person = await signUp(auth);
    const { accessToken } = await signIn(auth, person);
    await mailsOf(person);
    await times(6, person, () => post("/auth/verification", {}, accessToken));
    await times(4, person, () => post("/auth/sign-up", { ...newPerson(), email: person.email }));
    await times(6, person, () =>
      post("/auth/password-resets", { email: person.email.toUpperCase() }),
    );
    const mails = await mailsOf(person);
    expect(mails).toHaveLength(5);
    expect(mails).toContain("Choose a new password");
    expect(mails).toContain("This address has an account");
  });

  test("is counted by the mailbox: nobody else's mail is held back, and an hour later it comes again", async () => {
    const [person, other] = [await signUpVerified(auth), await signUpVerified(auth)];
    await times(9, person, () => post("/auth/password-resets", { email: person.email }));
    await post("/auth/password-resets", { email: other.email });
    expect(await mailsOf(other)).toContain("Choose a new password");

    await letAnHourPass();
    auth.inbox.clear();
    await post("/auth/password-resets", { email: person.email });
    expect(await mailsOf(person)).toEqual(["Choose a new password"]);
  });
});
