import request from "supertest";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { addMember, type Person, payloadOf, setRoles, signIn } from "../testing/people.ts";
import { signUpWithApp } from "../testing/second-factors.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
beforeAll(async () => {
  auth = await startAuth(inject("stores"), { SECOND_FACTOR_ROLES: "admin,clinician" });
});
afterAll(() => auth.stop());

const post = ({ email, password }: Person, codes: object = {}) =>
  request(auth.origin)
    .post("/auth/sign-in")
    .send({ email, password, ...codes });

test("sign-in > by password alone says so", async () => {
  const { accessToken } = await signIn(auth, await addMember(auth));
  expect(payloadOf(accessToken)).toMatchObject({ acr: "aal1", amr: ["pwd"] });
});

test("sign-in > of somebody with a second factor needs a code (403), the right one (401)", async () => {
  const person = await signUpWithApp(auth);
  const missing = await post(person).expect(403);
  expect(missing.body.code).toBe("second-factor-required");
  const wrong = await post(person, { otp: "000000" }).expect(401);
  expect(wrong.body.code).toBe("invalid-second-factor");
  const otp = await person.nextCode();
  const { body } = await post(person, { otp }).expect(200);
  expect(payloadOf(body.accessToken)).toMatchObject({ acr: "aal2", amr: ["pwd", "otp", "mfa"] });
  await post(person, { otp }).expect(401);
  const refusals = auth
    .logged()
    .split("\n")
    .filter((line) => line.includes("refused"));
  expect(refusals.filter((line) => line.includes(person.id))).toHaveLength(2);
});

test("sign-in > takes a recovery code, once", async () => {
  const person = await signUpWithApp(auth);
  const [recoveryCode = ""] = person.recoveryCodes;
  await post(person, { recoveryCode }).expect(200);
  await post(person, { recoveryCode }).expect(401);
});

test("sign-in > tells only who has the password that there is a second factor", async () => {
  const person = { ...(await signUpWithApp(auth)), password: "not the password" };
  const refused = await post(person, { otp: "000000" }).expect(401);
  expect(refused.body.code).toBe("invalid-credentials");
});

test("sign-in > ends guessing at codes (429), and other people's go on", async () => {
  const [person, other] = [await signUpWithApp(auth), await signUpWithApp(auth)];
  for (let guess = 0; guess < 5; guess += 1) await post(person, { otp: "000000" }).expect(401);
  const refused = await post(person, { otp: await person.nextCode() }).expect(429);
  expect(Number(refused.headers["retry-after"])).toBeGreaterThan(600);
  await post(other, { otp: await other.nextCode() }).expect(200);
});

test("sign-in > is not enough where a role needs a second factor that is not there (403)", async () => {
  const person = await addMember(auth);
  await setRoles(auth, person, ["member", "clinician"]);
  const refused = await post(person).expect(403);
  expect(refused.body.code).toBe("second-factor-enrolment-required");
  await setRoles(auth, person, ["member"]);
  await post(person).expect(200);
});

test.each([{ otp: 123456 }, { otp: "1".repeat(21) }, { recoveryCode: { $gt: "" } }])(
  "sign-in > refuses what is no code: %j (400)",
  async (codes) => {
    await post(await addMember(auth), codes).expect(400);
  },
);
