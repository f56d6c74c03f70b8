import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { addMember, newPerson, payloadOf, setRoles, signIn, signUp } from "../testing/people.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
beforeAll(async () => {
  auth = await startAuth(inject("stores"));
});
afterAll(() => auth.stop());

const post = (body: string | object) => request(auth.origin).post("/auth/sign-in").send(body);

describe("sign-in", () => {
  test("answers an access token after RFC 9068 (200)", async () => {
    const person = await addMember(auth);
    const reply = await post(person);
    expect(reply.headers["cache-control"]).toBe("no-store");
    const { accessToken, tokenType, expiresIn, scope, account } = reply.body;
    expect([tokenType, expiresIn]).toEqual(["Bearer", 600]);

    const [header = ""] = accessToken.split(".");
    expect(JSON.parse(Buffer.from(header, "base64url").toString())).toEqual({
      alg: "ES256",
      typ: "at+jwt",
      kid: expect.any(String),
    });
    const claims = payloadOf(accessToken);
    expect(claims).toMatchObject({
      iss: `${auth.origin}/auth`,
      aud: [auth.origin, `${auth.origin}/auth/userinfo`],
      sub: account.id,
      client_id: "portico",
      scope,
      roles: ["member"],
      email_verified: true,
    });
    expect(claims.exp - claims.iat).toBe(600);
    expect(claims.auth_time).toBe(claims.iat);
    expect(claims).not.toHaveProperty("premium_until");
  });

  test("cuts the scope to what the account's roles permit", async () => {
    const person = await signUp(auth);
    expect((await signIn(auth, person)).scope).not.toContain("patients:");
    await setRoles(auth, person, ["member", "clinician"]);
    const { accessToken, scope } = await signIn(auth, person);
    expect(scope).toContain("patients:write");
    expect(payloadOf(accessToken).roles).toEqual(["member", "clinician"]);
  });

  test("says until when an account is premium", async () => {
    const person = await signUp(auth);
    const premiumUntil = new Date("2099-01-01T00:00:00Z");
    await auth.mongo
      .collection("accounts")
      .updateOne({ email: person.email }, { $set: { premiumUntil } });
    const { accessToken } = await signIn(auth, person);
    expect(payloadOf(accessToken).premium_until).toBe(premiumUntil.getTime() / 1000);
  });

  test("takes the address in any case, and the password in any Unicode form", async () => {
    const person = { ...newPerson(), password: "cafe\u0301 au lait" };
    await signUp(auth, person);
    await post({ email: person.email.toUpperCase(), password: "café au lait" }).expect(200);
  });

  test("answers the same for an unknown address as for a wrong password (401)", async () => {
    const person = await signUp(auth);
    const wrong = await post({ ...person, password: "not the password" }).expect(401);
    const unknown = await post({ ...newPerson(), password: "not the password" }).expect(401);
    const told = ({ traceId: _, ...rest }: { traceId: string }) => rest;
    expect(told(wrong.body)).toEqual(told(unknown.body));
    expect(wrong.body.code).toBe("invalid-credentials");
    const { date: _, ...headers } = wrong.headers;
    expect(unknown.headers).toMatchObject(headers);
  });

  test.each([
    ["email", { email: { $gt: "" } }],
    ["password", { password: { $gt: "" } }],
    ["password", { password: "a".repeat(3_000) }],
    ["remember", { remember: true }],
  ])("names the wrong field %s of %j (400)", async (field, wrong) => {
    const reply = await post({ ...newPerson(), ...wrong });
    expect(reply.status).toBe(400);
    expect(reply.body.errors.map((error: { field: string }) => error.field)).toEqual([field]);
  });

  test("refuses what is not JSON (400), too large (413), of another type (415)", async () => {
    await post("{").type("json").expect(400);
    await post(`{"email":"${"a".repeat(200_000)}"}`)
      .type("json")
      .expect(413);
    await post("email=a@portico.example").type("form").expect(415);
  });
});
