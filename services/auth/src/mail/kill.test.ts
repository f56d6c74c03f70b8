import { findFreePorts } from "@portico/dev-env";
import request from "supertest";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type AuthProcess, prepareAuthProcess } from "../testing/auth-process.ts";
import { newPerson, type Person } from "../testing/people.ts";
import { prepareSmtpProcess } from "../testing/smtp-process.ts";

let auth: AuthProcess;
let smtp: ReturnType<typeof prepareSmtpProcess>;
beforeAll(async () => {
  const [port = 0] = await findFreePorts(1);
  smtp = prepareSmtpProcess(port);
  auth = await prepareAuthProcess(inject("stores"));
  auth.environment.SMTP_URL = smtp.url;
});
afterAll(() => Promise.all([auth.close(), smtp.kill()]));

const accepted: string[] = [];

async function signUp(person: Person): Promise<void> {
  const { status } = await request(auth.origin)
    .post("/auth/sign-up")
    .send(person)
    .catch(() => ({ status: 0 }));
  if (status === 202) accepted.push(person.email);
}

const signUps = (howMany: number) =>
  Promise.all(Array.from({ length: howMany }, () => signUp(newPerson())));

/** Those whose mail no SMTP server ever took. */
const without = () => accepted.filter((email) => !smtp.took.includes(email));

test("kill -9 of auth and of the SMTP server while mails are under way > every mail is sent", async () => {
  await Promise.all([smtp.start(), auth.start()]);
  const first = signUps(12);
  await expect.poll(() => smtp.took.length, { timeout: 20_000, interval: 1 }).toBeGreaterThan(2);
  await smtp.kill();
  await first;
  await signUps(6);
  expect(without().length).toBeGreaterThan(0);

  await auth.kill();
  await auth.start();
  await smtp.start();
  const last = signUps(12);
  await expect.poll(() => without().length, { timeout: 30_000, interval: 1 }).toBeLessThan(10);
  await auth.kill();
  await last;
  await auth.start();

  await expect.poll(without, { timeout: 60_000, interval: 100 }).toEqual([]);
  expect(accepted.length).toBeGreaterThanOrEqual(18);
}, 180_000);
