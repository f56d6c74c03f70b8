import { createServer } from "node:http";
import { findFreePorts } from "@portico/dev-env";
import { createInbox, type Inbox } from "@portico/sandboxes";
import { createTransport } from "nodemailer";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { newPerson, type Person, signIn } from "../testing/people.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let inbox: Inbox;
let auth: TestAuth;
beforeAll(async () => {
  const [smtpPort = 0, httpPort = 0] = await findFreePorts(2);
  inbox = await createInbox({ smtpPort, httpPort });
  auth = await startAuth(inject("stores"), {
    SMTP_URL: inbox.smtpUrl,
    TEST_EMAIL_DOMAIN: "portico.test",
    TEST_INBOX_URL: inbox.url,
  });
});
afterAll(async () => {
  await auth.stop();
  await inbox.close();
});

const soon = { timeout: 15_000 };
const at = (domain: string): Person => {
  const person = newPerson();
  return { ...person, email: person.email.replace(/@.*/, `@${domain}`) };
};
const post = (path: string, body: object = {}, on = auth) =>
  request(on.origin).post(`/auth/${path}`).send(body);
const isVerified = async ({ email }: Person) =>
  (await auth.mongo.collection("accounts").findOne({ email }))?.emailVerified;

describe("a mailbox at the test domain", () => {
  test("verifies its address by itself", async () => {
    const person = at("portico.test");
    await post("sign-up", person).expect(202);
    await expect.poll(() => isVerified(person), soon).toBe(true);
  });

  test("resets its password by itself, to the token of the link, which a test can read", async () => {
    const person = at("portico.test");
    await post("sign-up", person).expect(202);
    await post("password-resets", { email: person.email }).expect(202);
    const mail = await inbox.waitFor({ to: person.email, subject: "Choose" }, 15_000);
    const password = new URL(mail.links[0] ?? "").searchParams.get("token") ?? "";
    await inbox.waitFor({ to: person.email, subject: "was changed" }, 15_000);
    await signIn(auth, { ...person, password });
    await post("sign-in", person).expect(401);
  });

  test("does not open a mailbox elsewhere, nor one whose domain only ends so", async () => {
    const others = [at("portico.example"), at("not-portico.test"), at("mail.portico.test")];
    for (const person of others) await post("sign-up", person).expect(202);
    const last = at("portico.test");
    await post("sign-up", last).expect(202);
    await expect.poll(() => isVerified(last), soon).toBe(true);
    for (const person of others) {
      await inbox.waitFor({ to: person.email }, 15_000);
      expect(await isVerified(person)).toBe(false);
    }
  });

  test("follows no link to anywhere else, and no other link of ours", async () => {
    const asked: string[] = [];
    const elsewhere = createServer((incoming, answer) => {
      asked.push(incoming.url ?? "");
      answer.end();
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => elsewhere.once("listening", resolve));
    const { port } = elsewhere.address() as { port: number };
    const transport = createTransport(inbox.smtpUrl);
    const token = "x".repeat(43);
    const links = [
      `http://127.0.0.1:${port}/auth/verify?token=${token}`,
      `${auth.origin}/auth/sign-up?token=${token}`,
    ];
    await transport.sendMail({ to: "x@portico.test", from: "a@b.example", text: links.join("\n") });
    transport.close();

    const last = at("portico.test");
    await post("sign-up", last).expect(202);
    await expect.poll(() => isVerified(last), soon).toBe(true);
    elsewhere.close();
    expect(asked).toEqual([]);
    expect(auth.logged()).not.toContain('"path":"/auth/sign-up"');
  });

  test("goes on when the inbox was away and is a new one", async () => {
    const ports = { smtpPort: Number(new URL(inbox.smtpUrl).port), httpPort: portOf(inbox.url) };
    await inbox.close();
    const person = at("portico.test");
    await post("sign-up", person).expect(202);
    inbox = await createInbox(ports);
    await expect.poll(() => isVerified(person), { timeout: 30_000 }).toBe(true);
  }, 60_000);

  test("leaves no address and no token in the log", async () => {
    const mails = inbox.messages();
    expect(mails.length).toBeGreaterThan(0);
    expect(auth.logged()).toContain("test-mailbox.link-followed");
    for (const { links, to } of mails) {
      for (const address of to) expect(auth.logged()).not.toContain(address);
      const token = new URL(links[0] ?? auth.origin).searchParams.get("token");
      if (token) expect(auth.logged()).not.toContain(token);
    }
  });
});

const portOf = (url: string) => Number(new URL(url).port);

describe("test users", () => {
  test("are verified, each another one, and sign in (201)", async () => {
    const [one, other] = [await post("test-users").expect(201), await post("test-users")];
    expect(one.body.email).toMatch(/^test-[\da-f-]{36}@portico\.test$/);
    expect(one.body.email).not.toBe(other.body.email);
    const { account } = await signIn(auth, one.body);
    expect(account).toMatchObject({ id: one.body.id, emailVerified: true, roles: ["member"] });
  });

  test("are not there where no test domain is configured (404)", async () => {
    const plain = await startAuth(inject("stores"));
    const reply = await post("test-users", {}, plain);
    const unknown = await post("no-such-thing", {}, plain);
    await plain.stop();
    const told = ({ traceId: _, ...rest }: { traceId: string }) => rest;
    expect([reply.status, told(reply.body)]).toEqual([404, told(unknown.body)]);
    expect(plain.logged()).not.toContain("test-mailbox");
  });
});
