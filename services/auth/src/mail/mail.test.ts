import { randomUUID } from "node:crypto";
import { Writable } from "node:stream";
import { createInbox } from "@portico/sandboxes";
import { createLogger } from "@portico/service-kit";
import type { CloudEvent } from "@portico/service-kit/events";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { newPerson, signUp } from "../testing/people.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";
import { deliverWith } from "./deliver.ts";
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

test("mail > to a mailbox that is gone holds up nobody else's", async () => {
  const gone = newPerson();
  auth.inbox.faults.add({ kind: "reject", to: gone.email });
  await signUp(auth, gone);
  const others = await Promise.all(Array.from({ length: 8 }, () => signUp(auth)));
  for (const { email } of others) await auth.inbox.waitFor({ to: email }, 10_000);
  expect(auth.inbox.messages({ to: gone.email })).toEqual([]);
  auth.inbox.faults.clear();
  await auth.inbox.waitFor({ to: gone.email }, 10_000);
}, 60_000);

describe("a mail that cannot be sent", () => {
  const hourMs = 3_600_000;
  const eventOf = (ageMs: number): CloudEvent => ({
    specversion: "1.0",
    id: randomUUID(),
    source: "/auth",
    type: "dev.portico.auth.verification-requested",
    time: new Date(Date.now() - ageMs).toISOString(),
    datacontenttype: "application/json",
    data: {},
  });
  const mail = toMail({
    subject: "s",
    paragraphs: [],
    action: { text: "t", link: "l" },
    closing: "c",
  });

  test.each([
    ["for now", "refuse", 0, "tried again"],
    ["for now", "refuse", 23 * hourMs, "tried again"],
    ["for now", "refuse", 25 * hourMs, "given up"],
    ["for good", "reject", 0, "tried again"],
    ["for good", "reject", 2 * hourMs, "given up"],
  ] as const)("%s (%s), %d ms after the request, is %s", async (_, kind, ageMs, fate) => {
    const inbox = await createInbox({ faults: [{ kind }] });
    const mailer = createMailer(inbox.smtpUrl, "a@portico.example");
    let logged = "";
    const destination = new Writable({
      write(line, _encoding, done) {
        logged += line;
        done();
      },
    });
    const deliver = deliverWith(mailer, createLogger("auth", "info", destination));
    const delivered = deliver(eventOf(ageMs), "b@portico.example", mail);
    if (fate === "tried again") await expect(delivered).rejects.toThrow();
    else await delivered;
    mailer.close();
    await inbox.close();
    expect(logged.includes("mail.given-up")).toBe(fate === "given up");
    expect(logged).not.toContain("b@portico.example");
  });
});

test("mail > a server that is not there is an error, soon", async () => {
  const mailer = createMailer("smtp://127.0.0.1:1", "a@portico.example");
  const parts = { subject: "s", paragraphs: [], action: { text: "t", link: "l" }, closing: "c" };
  await expect(mailer.send("b@portico.example", toMail(parts))).rejects.toThrow();
  mailer.close();
});
