import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { addMember, signIn } from "../testing/people.ts";
import { createRelyingParty } from "../testing/relying-party.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
beforeAll(async () => {
  auth = await startAuth(inject("stores"));
});
afterAll(() => auth.stop());

const password = "a better one by far";
const put = (token: string, body: object) =>
  request(auth.origin)
    .put("/auth/users/me/password")
    .set("Authorization", `Bearer ${token}`)
    .send(body);
const statusOfMe = async (token: string) =>
  (await request(auth.origin).get("/auth/users/me").set("Authorization", `Bearer ${token}`)).status;

async function signedIn() {
  const person = await addMember(auth);
  return { person, ...(await signIn(auth, person)) };
}

describe("changing a password", () => {
  test("gives another one, ends every session and tells the owner (204)", async () => {
    const { person, accessToken } = await signedIn();
    const client = await createRelyingParty(auth, "change-client");
    const tokens = await client.signIn(person);
    await put(accessToken, { currentPassword: person.password, password }).expect(204);

    await request(auth.origin).post("/auth/sign-in").send(person).expect(401);
    await signIn(auth, { ...person, password });
    await expect.poll(() => statusOfMe(accessToken), { timeout: 1_000, interval: 20 }).toBe(401);
    await expect(client.refresh(tokens.refresh_token ?? "")).rejects.toThrow();
    await auth.inbox.waitFor({ to: person.email, subject: "was changed" }, 10_000);
  });

  test("refuses a wrong current password (403), as seldom as anybody's sign-in (429), and changes nothing", async () => {
    const { person, accessToken } = await signedIn();
    const statuses = [];
    for (let n = 0; n < 9; n += 1) {
      const reply = await put(accessToken, { currentPassword: "not the one", password });
      statuses.push(reply.status);
    }
    expect(statuses.slice(0, 5)).toEqual([403, 403, 403, 403, 403]);
    expect(statuses).toContain(429);
    expect(await statusOfMe(accessToken)).toBe(200);
    const refused = await request(auth.origin).post("/auth/sign-in").send(person).expect(429);
    expect(refused.headers["retry-after"]).toBeDefined();
  });

  test("refuses a password that is easy to guess, and tries no password then (400)", async () => {
    const { person, accessToken } = await signedIn();
    const mailbox = person.email.split("@")[0];
    for (const easy of ["short", "qwertyuiop", mailbox]) {
      const reply = await put(accessToken, { currentPassword: "not the one", password: easy });
      expect(reply.status).toBe(400);
      expect(reply.body.errors.map(({ field }: { field: string }) => field)).toEqual(["password"]);
    }
    await put(accessToken, { currentPassword: person.password, password }).expect(204);
  });

  test("needs a token (401), and names the wrong field (400)", async () => {
    await request(auth.origin).put("/auth/users/me/password").send({}).expect(401);
    const { accessToken, person } = await signedIn();
    const current = { currentPassword: person.password };
    for (const [field, body] of [
      ["password", current],
      ["currentPassword", { password }],
      ["currentPassword", { password, currentPassword: { $gt: "" } }],
      ["email", { ...current, password, email: "eve@portico.example" }],
    ] as const) {
      const reply = await put(accessToken, body).expect(400);
      expect(reply.body.errors.map((error: { field: string }) => error.field)).toEqual([field]);
    }
  });
});
