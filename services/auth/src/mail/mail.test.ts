import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { newPerson, signUp } from "../testing/people.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";
import { toMail } from "./mail.ts";
import { createMailer } from "./mailer.ts";

let auth: TestAuth;
beforeAll(async () => {
  auth = await startAuth(inject("stores"));
});
afterAll(() => auth.stop());

test("mail > arrives although the SMTP server refused it and broke off at first", async () => {
  const person = newPerson();
  auth.inbox.faults.add({ kind: "refuse", count: 1 });
  await signUp(auth, person);
  const mail = await auth.inbox.waitFor({ to: person.email }, 15_000);
  expect(mail.links.length).toBe(1);
  expect(auth.inbox.faults.list()).toEqual([]);
});

test("mail > says the same in HTML and in text", async () => {
  const person = await signUp(auth);
  const { text, html, from, subject } = await auth.inbox.waitFor({ to: person.email }, 10_000);
  expect([from, subject]).toEqual(["no-reply@portico.localhost", "Verify your e-mail address"]);
  const link = /http\S+/.exec(text)?.[0] ?? "none";
  expect(html).toContain(`href="${link}"`);
});

test("mail > a server that is not there is an error, soon", async () => {
  const mailer = createMailer("smtp://127.0.0.1:1", "a@portico.example");
  const parts = { subject: "s", paragraphs: [], action: { text: "t", link: "l" }, closing: "c" };
  await expect(mailer.send("b@portico.example", toMail(parts))).rejects.toThrow();
  mailer.close();
});
