import { randomUUID } from "node:crypto";
import type { CloudEvent } from "@portico/service-kit/events";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type Person, signIn, signUp } from "../testing/people.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
beforeAll(async () => {
  auth = await startAuth(inject("stores"));
});
afterAll(() => auth.stop());

const soon = { timeout: 10_000 };
const verify = (token: string) => request(auth.origin).post("/auth/verify").send({ token });
const mailsTo = ({ email }: Person) =>
  auth.inbox.messages({ to: email, subject: "Verify" }).map(({ links }) => links[0] ?? "");
const tokenIn = (link = "") => new URL(link).searchParams.get("token") ?? "";

/** The event that asked for the person's link. */
async function requestOf({ email }: Person): Promise<CloudEvent> {
  const account = await auth.mongo.collection("accounts").findOne({ email });
  const stored = await auth.mongo.collection("outbox").findOne({
    "event.type": "dev.portico.auth.verification-requested",
    "event.subject": account?._id,
  });
  return stored?.event as CloudEvent;
}

/** As if auth had been killed between the mail and the end of the event's transaction. */
async function deliverAgain(event: CloudEvent): Promise<void> {
  const inbox = auth.mongo.collection<{ _id: string }>("inbox");
  await expect.poll(() => inbox.findOne({ _id: `auth:${event.id}` }), soon).not.toBeNull();
  await inbox.deleteOne({ _id: `auth:${event.id}` });
  await deliver(event);
}

async function deliver(event: CloudEvent): Promise<void> {
  await auth.redis.xadd("events:auth", "*", "event", JSON.stringify(event));
  const inbox = auth.mongo.collection<{ _id: string }>("inbox");
  await expect.poll(() => inbox.findOne({ _id: `auth:${event.id}` }), soon).not.toBeNull();
}

async function signUpWithMail(): Promise<Person> {
  const person = await signUp(auth);
  await auth.inbox.waitFor({ to: person.email }, 10_000);
  return person;
}

describe("a mailed link", () => {
  test("is the same in the mail that comes again after a crash", async () => {
    const person = await signUpWithMail();
    await deliverAgain(await requestOf(person));
    await expect.poll(() => mailsTo(person).length, soon).toBe(2);
    const [again, before] = mailsTo(person);
    expect(again).toBe(before);
    await verify(tokenIn(before)).expect(200);
  });

  test("is not mailed again when it was used meanwhile", async () => {
    const person = await signUpWithMail();
    const event = await requestOf(person);
    await verify(tokenIn(mailsTo(person)[0])).expect(200);
    // Unverified again, so that only the link itself is in the way.
    await auth.mongo
      .collection("accounts")
      .updateOne({ email: person.email }, { $set: { emailVerified: false } });
    await deliverAgain(event);
    expect(mailsTo(person)).toHaveLength(1);
  });

  test("of an older request that was held up does not end that of a newer one, and is not mailed", async () => {
    const person = await signUpWithMail();
    const event = await requestOf(person);
    const time = new Date(Date.parse(event.time) - 60_000).toISOString();
    await deliver({ ...event, id: randomUUID(), time });
    expect(mailsTo(person)).toHaveLength(1);
    await verify(tokenIn(mailsTo(person)[0])).expect(200);
  });

  test("ends with the next request", async () => {
    const person = await signUpWithMail();
    const { accessToken } = await signIn(auth, person);
    await request(auth.origin)
      .post("/auth/verification")
      .set("Authorization", `Bearer ${accessToken}`)
      .expect(202);
    await expect.poll(() => mailsTo(person).length, soon).toBe(2);
    const [newer, older] = mailsTo(person);
    expect((await verify(tokenIn(older)).expect(400)).body.code).toBe("unknown-link");
    await verify(tokenIn(newer)).expect(200);
  });

  test("that could not be mailed for long works for an hour from the mail on", async () => {
    const person = await signUpWithMail();
    const links = auth.mongo.collection("links");
    const account = await auth.mongo.collection("accounts").findOne({ email: person.email });
    await links.updateOne({ accountId: account?._id }, { $set: { expiresAt: new Date(1) } });
    await deliverAgain(await requestOf(person));
    await expect.poll(() => mailsTo(person).length, soon).toBe(2);
    await verify(tokenIn(mailsTo(person)[0])).expect(200);
  });

  test("is in the database as a hash only, and nothing there makes it", async () => {
    const person = await signUpWithMail();
    const token = tokenIn(mailsTo(person)[0]);
    const collections = await auth.mongo.listCollections();
    for (const { name } of collections) {
      const documents = await auth.mongo.collection(name).find().toArray();
      expect(JSON.stringify(documents), name).not.toContain(token);
    }
  });
});
