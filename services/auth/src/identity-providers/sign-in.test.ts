import { createBrowser, type Visit } from "@portico/dev-env";
import request from "supertest";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import {
  createJourney,
  type Federation,
  newcomer,
  startFederation,
} from "../testing/federation.ts";
import { addMember, newPerson, type Person, payloadOf, signIn, signUp } from "../testing/people.ts";
import { idOf, signUpWithApp } from "../testing/second-factors.ts";

let federation: Federation;
beforeAll(async () => {
  federation = await startFederation(inject("stores"));
});
afterAll(() => federation.stop());

const journey = () => createJourney(federation);
const accounts = () => federation.auth.mongo.collection("accounts");
const linked = () => federation.auth.mongo.collection("linkedIdentities");

/** The same person at a provider, by the address that their account has here. */
const atOne = ({ email }: { email: string }, more = {}) =>
  federation.one.people.add(newcomer({ email, ...more }));

const credentialsOf = ({ email, password }: Person) => ({ email, password });

const isAtApplication = ({ url }: Visit) =>
  url.href.startsWith("https://rp.example/callback") && url.searchParams.has("code");

const subjectOf = async (steps: ReturnType<typeof journey>, end: Visit) =>
  payloadOf((await steps.tokens(end)).access_token).sub;

describe("somebody whom nobody knows", () => {
  test("gets an account with the address that the provider proved, and no password", async () => {
    const { sub, email } = federation.one.people.add(newcomer());
    const steps = journey();
    const end = await steps.arrive(sub);
    const tokens = await steps.tokens(end);
    expect(payloadOf(tokens.access_token)).toMatchObject({ email_verified: true });
    expect(tokens.claims()).toMatchObject({ amr: ["fed"], acr: "aal1" });
    const account = await accounts().findOne({ email });
    expect(account).toMatchObject({
      emailVerified: true,
      passwordHash: null,
      name: "Grace Hopper",
    });
    await request(federation.auth.origin)
      .post("/auth/sign-in")
      .send({ email, password: "null" })
      .expect(401);
  });

  test("gets one account, also when they come in several tabs at once", async () => {
    const { sub, email } = federation.one.people.add(newcomer());
    const both = Array.from({ length: 6 }, journey);
    const callbacks = await Promise.all(
      both.map(async (steps) => steps.pick(await steps.leave(await steps.open()), sub)),
    );
    const ends = await Promise.all(
      both.map(({ browser }, at) => browser.open(callbacks[at] ?? "")),
    );
    expect(ends.map(isAtApplication)).toEqual(both.map(() => true));
    expect(await accounts().countDocuments({ email })).toBe(1);
    expect(await linked().countDocuments({ subject: sub })).toBe(1);
  });

  test("without a verified address gets no account (403), and learns nothing about that address", async () => {
    const known = await addMember(federation.auth);
    const unknown = newcomer();
    const arrivals = await Promise.all(
      [known, unknown].map(({ email }) =>
        journey().arrive(atOne({ email }, { emailVerified: false }).sub),
      ),
    );
    const [one, other] = arrivals.map(({ status, body }) => [
      status,
      body.replace(/interaction\/[\w-]+/g, "interaction"),
    ]);
    expect(one).toEqual(other);
    expect(one).toEqual([403, expect.stringContaining("is not verified")]);
    expect(await accounts().countDocuments({ email: unknown.email })).toBe(0);
    expect(await linked().countDocuments({ email: known.email })).toBe(0);
  });
});

describe("somebody who has come before", () => {
  test("is the same person again, whatever their address is by now", async () => {
    const person = federation.one.people.add(newcomer());
    const first = journey();
    const subject = await subjectOf(first, await first.arrive(person.sub));
    federation.one.people.add({ ...person, email: newcomer().email, emailVerified: false });
    const second = journey();
    expect(await subjectOf(second, await second.arrive(person.sub))).toBe(subject);
  });

  test("is asked for their second factor as after a password", async () => {
    const person = await signUpWithApp(federation.auth);
    const { sub } = atOne(person);
    const first = journey();
    const proving = await first.browser.submit(await first.arrive(sub), credentialsOf(person));
    await first.browser.submit(proving, { otp: await person.nextCode() }, "second-factor");

    const second = journey();
    const page = await second.arrive(sub);
    expect(page.body).toContain("Second step");
    const end = await second.browser.submit(
      page,
      { otp: await person.nextCode() },
      "second-factor",
    );
    const tokens = await second.tokens(end);
    expect(tokens.claims()).toMatchObject({ amr: ["fed", "otp", "mfa"], acr: "aal2" });
  });

  test("is kept out while the account is suspended (403)", async () => {
    const { sub, email } = federation.one.people.add(newcomer());
    await journey().arrive(sub);
    await accounts().updateOne({ email }, { $set: { status: "suspended" } });
    const page = await journey().arrive(sub);
    expect([page.status, page.body]).toEqual([403, expect.stringContaining("suspended")]);
    await accounts().updateOne({ email }, { $set: { status: "active" } });
    expect(isAtApplication(await journey().arrive(sub))).toBe(true);
  });

  test("proves it again at the provider when the application wants that", async () => {
    const { sub } = federation.one.people.add(newcomer());
    const steps = journey();
    await steps.arrive(sub);
    steps.browser.cookies.length = 0;
    // Signed in there by now: without the wish the provider asks nothing.
    const silent = await steps.leave(await steps.open());
    expect(silent.url.pathname).toBe("/auth/identity-providers/one/callback");
    const asked = await steps.leave(await steps.open({ prompt: "login" }));
    expect(asked.url.pathname).toMatch(/^\/sign-in\//);
    const end = await steps.browser.open(await steps.pick(asked, sub));
    expect(isAtApplication(end)).toBe(true);
  });
});

describe("somebody whose address has an account", () => {
  test("proves the account once; from then on the provider opens it, and its owner was told", async () => {
    const person = await addMember(federation.auth);
    const { sub } = atOne(person);
    const steps = journey();
    const page = await steps.arrive(sub);
    expect(page.body).toContain(`${person.email} has an account here already`);
    expect(page.body).toContain(`value="${person.email}"`);

    const refused = await steps.browser.submit(page, { ...person, password: "not the password" });
    expect([refused.status, refused.body]).toEqual([400, expect.stringContaining("is wrong")]);
    expect(await linked().countDocuments({ subject: sub })).toBe(0);

    const end = await steps.browser.submit(refused, person);
    expect(await subjectOf(steps, end)).toBe(await idOf(federation.auth, person));
    const later = journey();
    expect(await subjectOf(later, await later.arrive(sub))).toBe(
      await idOf(federation.auth, person),
    );
    const mail = await federation.auth.inbox.waitFor(
      { to: person.email, subject: "One ID" },
      10_000,
    );
    expect(mail.links).toEqual([`${federation.auth.origin}/auth/account`]);
  });

  test("links nothing by signing in to another account", async () => {
    const [owner, other] = [await addMember(federation.auth), await addMember(federation.auth)];
    const { sub } = atOne(owner);
    const steps = journey();
    const end = await steps.browser.submit(await steps.arrive(sub), other);
    expect(isAtApplication(end)).toBe(true);
    expect(await linked().countDocuments({ subject: sub })).toBe(0);
  });

  test("links nothing before the second factor, either", async () => {
    const person = await signUpWithApp(federation.auth);
    const { sub } = atOne(person);
    const steps = journey();
    const page = await steps.browser.submit(await steps.arrive(sub), credentialsOf(person));
    expect(page.body).toContain("Second step");
    expect(await linked().countDocuments({ subject: sub })).toBe(0);
    const end = await steps.browser.submit(page, { otp: await person.nextCode() }, "second-factor");
    expect(isAtApplication(end)).toBe(true);
    expect(await linked().countDocuments({ subject: sub })).toBe(1);
  });

  test("may prove it by another identity that opens the account", async () => {
    const person = newcomer();
    const [one, two] = [federation.one.people.add(person), federation.two.people.add(person)];
    const first = journey();
    const subject = await subjectOf(first, await first.arrive(one.sub, "One ID"));

    const steps = journey();
    const page = await steps.arrive(two.sub, "Two ID");
    expect(page.body).toContain("has an account here already");
    const end = await steps.browser.open(
      await steps.pick(await steps.leave(page, "One ID"), one.sub),
    );
    expect(await subjectOf(steps, end)).toBe(subject);
    const later = journey();
    expect(await subjectOf(later, await later.arrive(two.sub, "Two ID"))).toBe(subject);
  });

  test("is nobody's heir: the same address with another sub opens nothing", async () => {
    const { email, sub } = federation.one.people.add(newcomer());
    await journey().arrive(sub);
    const page = await journey().arrive(atOne({ email }).sub);
    expect(page.body).toContain("has an account here already");
    expect(await linked().countDocuments({ email })).toBe(1);
  });
});

describe("an account that a stranger prepared with somebody's address", () => {
  test("is not linked; its password gets nobody in once the owner has proved the mailbox", async () => {
    const victim = newPerson();
    const stranger: Person = { email: victim.email, password: "the stranger's own secret" };
    await signUp(federation.auth, stranger);
    const { sub } = atOne(victim);
    const steps = journey();
    const page = await steps.arrive(sub);
    expect(page.body).toContain("has an account here already");
    expect(await accounts().findOne({ email: victim.email })).toMatchObject({
      emailVerified: false,
    });
    expect(await linked().countDocuments({ subject: sub })).toBe(0);

    await request(federation.auth.origin)
      .post("/auth/password-resets")
      .send({ email: victim.email })
      .expect(202);
    const mail = await federation.auth.inbox.waitFor(
      { to: victim.email, subject: "Choose a new password" },
      10_000,
    );
    const reset = createBrowser(federation.auth.origin);
    await reset.submit(await reset.open(mail.links[0] ?? ""), { password: victim.password });

    const end = await steps.browser.submit(page, victim);
    expect(isAtApplication(end)).toBe(true);
    expect(await linked().countDocuments({ subject: sub })).toBe(1);
    await request(federation.auth.origin).post("/auth/sign-in").send(stranger).expect(401);
    await signIn(federation.auth, victim);
  });

  test("stays as it is when its own password is used without the provider", async () => {
    const stranger = await signUp(federation.auth);
    const { sub } = atOne(stranger);
    await journey().arrive(sub);
    const elsewhere = journey();
    await elsewhere.browser.submit(await elsewhere.open(), stranger);
    expect(await accounts().findOne({ email: stranger.email })).toMatchObject({
      emailVerified: false,
    });
    expect(await linked().countDocuments({ subject: sub })).toBe(0);
  });

  test("who knows its password and comes from the provider owns both: linked, and verified", async () => {
    const person = await signUp(federation.auth);
    const { sub } = atOne(person);
    const steps = journey();
    const end = await steps.browser.submit(await steps.arrive(sub), person);
    const tokens = await steps.tokens(end);
    expect(payloadOf(tokens.access_token)).toMatchObject({ email_verified: true });
    expect(await linked().countDocuments({ subject: sub })).toBe(1);
  });
});
