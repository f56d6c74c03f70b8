/** What a canary does, with nobody to open its mail: an account from nothing to a new password. */
import { randomUUID } from "node:crypto";
import { expect, inject, it } from "vitest";
import { call } from "../http.ts";

const { ready } = inject("platform");
const auth = `${ready.gateway}/auth`;

const signIn = async (email: string, password: string) =>
  (await call(`${auth}/sign-in`, { json: { email, password } })).body;

it("signs up, is verified, forgets the password and chooses another, by itself", async () => {
  const email = `canary-${randomUUID()}@portico.test`;
  const password = randomUUID();
  expect((await call(`${auth}/sign-up`, { json: { email, password } })).status).toBe(202);
  const { accessToken } = await signIn(email, password);
  const status = async () =>
    (await call(`${auth}/verification`, { token: accessToken })).body.status;
  await expect.poll(status, { timeout: 20_000 }).toBe("verified");

  await call(`${auth}/password-resets`, { json: { email } });
  const mailbox = `${ready.mailbox}/api/messages`;
  const chosen = async () => {
    const { body } = await call(`${mailbox}?to=${email}`);
    const find = (subject: string) =>
      body.messages.find((message: { subject: string }) => message.subject === subject);
    return find("Your password was changed") && find("Choose a new password")?.id;
  };
  await expect.poll(chosen, { timeout: 20_000 }).toBeDefined();
  const mail = (await call(`${mailbox}/${await chosen()}`)).body;
  const token = new URL(mail.links[0]).searchParams.get("token") ?? "";
  const again = await signIn(email, token);

  const told = await call(`${auth}/token-status`, { json: { token: again.accessToken } });
  expect(told.body).toMatchObject({ active: true, emailVerified: true, premium: false });
  const before = await call(`${auth}/token-status`, { json: { token: accessToken } });
  expect(before.body).toEqual({ active: false });
});
