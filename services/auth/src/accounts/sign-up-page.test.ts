import { createBrowser, type Visit } from "@portico/dev-env";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { faultsOf } from "../testing/page-faults.ts";
import { linkOf, newPerson, signIn, signUpVerified } from "../testing/people.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
beforeAll(async () => {
  auth = await startAuth(inject("stores"));
});
afterAll(() => auth.stop());

const titleOf = ({ body }: Visit) => /<h1>(.*)<\/h1>/.exec(body)?.[1];

async function signUp(fields: Record<string, string>, query = "") {
  const browser = createBrowser(auth.origin);
  return browser.submit(await browser.open(`/auth/sign-up${query}`), fields);
}

const accountOf = (email: string) => auth.mongo.collection("accounts").findOne({ email });

describe("the page to sign up", () => {
  test("makes an account, whose link comes by mail", async () => {
    const person = newPerson();
    const done = await signUp({ ...person, name: "Ann" });
    expect([done.status, titleOf(done)]).toEqual([200, "Look into your mailbox"]);
    expect(await accountOf(person.email)).toMatchObject({ name: "Ann", roles: ["member"] });
    expect((await linkOf(auth, person)).pathname).toBe("/auth/verify");
    await signIn(auth, person);
  });

  test("takes no name for none, and nothing that it does not ask for", async () => {
    const person = newPerson();
    await signUp({ ...person, name: "", roles: "admin", emailVerified: "true" });
    expect(await accountOf(person.email)).toMatchObject({
      name: null,
      roles: ["member"],
      emailVerified: false,
    });
  });

  test("answers the same for an address that has an account, and changes nothing about it", async () => {
    const known = await signUpVerified(auth);
    const before = await accountOf(known.email);
    const unknown = newPerson();
    const [one, other] = [
      await signUp({ ...unknown, name: "" }),
      await signUp({ ...known, password: "a stranger's password", name: "Mallory" }),
    ];
    expect(one.status).toBe(other.status);
    expect(one.body.replaceAll(unknown.email, "")).toBe(other.body.replaceAll(known.email, ""));
    expect({ ...(await accountOf(known.email)), signUpRepeatedAt: undefined }).toEqual(before);
    await signIn(auth, known);
  });

  test.each([
    ["email", { email: "nobody" }, "Not an e-mail address"],
    ["password", { password: "liverpool" }, "Too easy to guess"],
    ["password", { password: "short" }, "Must have 8 to 128"],
    ["name", { name: "a".repeat(101) }, "Must have at most 100"],
  ])("says what is wrong with the %s, beside its field: %j", async (field, wrong, words) => {
    const given = { ...newPerson(), name: "<Ann>", ...wrong };
    const page = await signUp(given);
    expect(page.status).toBe(400);
    expect(page.body).toMatch(new RegExp(`<li id="wrong-${field}"><a href="#${field}">.*${words}`));
    expect(page.body).toContain(`aria-describedby="wrong-${field}"`);
    expect(page.body).not.toContain(given.password);
    expect(page.body).not.toContain("<Ann>");
    expect(faultsOf(page)).toEqual([]);
    expect(await accountOf(given.email)).toBeNull();
  });

  test("refuses a password that is made of the address", async () => {
    const email = "ann-of-the-harbour@portico.example";
    const page = await signUp({ email, password: "ann-of-the-harbour", name: "" });
    expect([page.status, page.body]).toEqual([400, expect.stringContaining("wrong-password")]);
  });

  test("leads back to the sign-in that somebody came from, and to nothing else", async () => {
    const uid = "QxUOa1xugOIb_mcNm76b1QSwGI92yxTnZqdqF0CZJq3";
    const person = { ...newPerson(), name: "" };
    expect((await signUp(person, `?interaction=${uid}`)).body).toContain(
      `href="/auth/interaction/${uid}"`,
    );
    for (const bad of ["../../evil", "//evil.example", "javascript:alert(1)", `${uid}/x`]) {
      const page = await signUp(person, `?interaction=${encodeURIComponent(bad)}`);
      expect(page.body).not.toContain("evil");
      expect(page.body).toContain('href="/auth/account"');
    }
  });

  test("takes no form that another site made (403)", async () => {
    const person = newPerson();
    const post = (fields: object) =>
      request(auth.origin)
        .post("/auth/sign-up")
        .type("form")
        .send({ ...person, ...fields });
    await post({}).expect(403);
    const page = await createBrowser(auth.origin).open("/auth/sign-up");
    const [, token] = /form_token" value="([^"]+)"/.exec(page.body) ?? [];
    await post({ form_token: token }).expect(403);
    expect(await accountOf(person.email)).toBeNull();
  });
});
