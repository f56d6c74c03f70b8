import type { Visit } from "@portico/dev-env";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import {
  createJourney,
  type Federation,
  newcomer,
  startFederation,
} from "../testing/federation.ts";
import { addMember, type Person, signUp } from "../testing/people.ts";
import { idOf } from "../testing/second-factors.ts";

let federation: Federation;
beforeAll(async () => {
  federation = await startFederation(inject("stores"));
});
afterEach(() => federation.one.faults.clear());
afterAll(() => federation.stop());

const linked = () => federation.auth.mongo.collection("linkedIdentities");

/** Somebody who has just signed in, and looks at how they sign in. */
async function onSecurityPage(person: Person) {
  const steps = createJourney(federation);
  const page = await steps.browser.submit(
    await steps.browser.open("/auth/account/security"),
    person,
  );
  expect(page.url.pathname).toBe("/auth/account/security");
  return { steps, page, person };
}

type Standing = Awaited<ReturnType<typeof onSecurityPage>>;

/** Presses "Link One ID", and picks somebody there; answers where the provider sends the browser. */
async function goAndPick({ steps, page }: Standing, sub: string): Promise<URL> {
  const leaving = await steps.browser.submit(page, {}, "/link/one");
  expect(leaving.status).toBe(200);
  return steps.pick(await steps.follow(leaving, "Continue to One ID"), sub);
}

const answered = ({ url, status, body }: Visit) => ({
  path: url.pathname + url.search,
  status,
  says: /role="(?:status|alert)"(?![^>]* hidden)[^>]*>([^<]+)/.exec(body)?.[1],
});

describe("somebody who is signed in", () => {
  test("links an identity, with whatever verified address it has; it opens the account then", async () => {
    const standing = await onSecurityPage(await addMember(federation.auth));
    const { sub, email } = federation.one.people.add(newcomer());
    const callback = await goAndPick(standing, sub);
    const page = await standing.steps.browser.open(callback);
    expect(answered(page)).toEqual({
      path: "/auth/account/security?done=linked",
      status: 200,
      says: "It is linked.",
    });
    expect(page.body).toContain(email);

    const later = createJourney(federation);
    const tokens = await later.tokens(await later.arrive(sub));
    expect(tokens.claims()?.sub).toBe(await idOf(federation.auth, standing.person));
    const about = { to: standing.person.email, subject: "One ID opens your account" };
    await federation.auth.inbox.waitFor(about, 10_000);
  });

  test("links it once, however often", async () => {
    const standing = await onSecurityPage(await addMember(federation.auth));
    const { sub } = federation.one.people.add(newcomer());
    await standing.steps.browser.open(await goAndPick(standing, sub));
    const again = await standing.steps.browser.open(await goAndPick(standing, sub));
    expect(answered(again).status).toBe(200);
    expect(await linked().countDocuments({ subject: sub })).toBe(1);
  });

  test("unlinks it where they see it, and never the last way in", async () => {
    const standing = await onSecurityPage(await addMember(federation.auth));
    const { sub } = federation.one.people.add(newcomer());
    const page = await standing.steps.browser.open(await goAndPick(standing, sub));
    const without = await standing.steps.browser.submit(page, {}, "/identities/unlink");
    expect(answered(without).says).toBe("It is unlinked.");
    expect(await linked().countDocuments({ subject: sub })).toBe(0);

    const person = federation.one.people.add(newcomer());
    const steps = createJourney(federation);
    await steps.arrive(person.sub);
    const own = await steps.browser.open("/auth/account/security");
    const refused = await steps.browser.submit(own, {}, "/identities/unlink");
    expect(answered(refused)).toMatchObject({
      status: 409,
      says: expect.stringContaining("Nothing else opens this account"),
    });
    expect(await linked().countDocuments({ subject: person.sub })).toBe(1);
  });
});

describe("an identity is not linked", () => {
  const refusalOf = async (standing: Standing, sub: string) =>
    answered(await standing.steps.browser.open(await goAndPick(standing, sub)));

  test("when it opens another account (409)", async () => {
    const { sub } = federation.one.people.add(newcomer());
    await createJourney(federation).arrive(sub);
    const standing = await onSecurityPage(await addMember(federation.auth));
    expect(await refusalOf(standing, sub)).toMatchObject({
      status: 409,
      says: expect.stringContaining("opens another account"),
    });
    expect(await linked().countDocuments({ subject: sub })).toBe(1);
  });

  test("when the provider does not say that its address is verified (403)", async () => {
    const { sub } = federation.one.people.add(newcomer({ emailVerified: false }));
    const standing = await onSecurityPage(await addMember(federation.auth));
    expect(await refusalOf(standing, sub)).toMatchObject({ status: 403 });
    expect(await linked().countDocuments({ subject: sub })).toBe(0);
  });

  test("to an account whose address is not verified: it would be a back door (403)", async () => {
    const stranger = await signUp(federation.auth);
    const { sub } = federation.one.people.add(newcomer());
    const standing = await onSecurityPage(stranger);
    expect(await refusalOf(standing, sub)).toMatchObject({ status: 403 });
    expect(await linked().countDocuments({ subject: sub })).toBe(0);
  });

  test("as the eleventh (409)", async () => {
    const standing = await onSecurityPage(await addMember(federation.auth));
    const accountId = await idOf(federation.auth, standing.person);
    const ten = Array.from({ length: 10 }, (_, index) => ({
      _id: `${accountId}-${index}` as never,
      accountId,
      providerId: "one",
      issuer: federation.one.url,
      subject: `${accountId}-${index}`,
      email: "",
      linkedAt: new Date(),
      usedAt: null,
    }));
    await linked().insertMany(ten);
    const { sub } = federation.one.people.add(newcomer());
    expect(await refusalOf(standing, sub)).toMatchObject({ status: 409 });
    expect(await linked().countDocuments({ accountId })).toBe(10);
  });

  test("when its account signed out meanwhile, or somebody else signed in", async () => {
    const standing = await onSecurityPage(await addMember(federation.auth));
    const { sub } = federation.one.people.add(newcomer());
    const callback = await goAndPick(standing, sub);
    const { browser } = standing.steps;
    const kept = browser.cookies.filter(({ name }) => name.startsWith("portico-away"));
    browser.cookies.splice(0, browser.cookies.length, ...kept);
    await browser.submit(await browser.open("/auth/account"), await addMember(federation.auth));
    expect(answered(await browser.open(callback))).toMatchObject({ status: 400 });
    expect(await linked().countDocuments({ subject: sub })).toBe(0);
  });

  test("for another site: the form needs its token (403)", async () => {
    const { steps, page } = await onSecurityPage(await addMember(federation.auth));
    const forged = { ...page, body: '<form action="/auth/account/link/one"></form>' };
    expect((await steps.browser.submit(forged, {}, "/link/one")).status).toBe(403);
  });

  test("by a session of long ago: it has to sign in first", async () => {
    const { steps, page, person } = await onSecurityPage(await addMember(federation.auth));
    const accountId = await idOf(federation.auth, person);
    await federation.auth.mongo
      .collection("sessions")
      .updateMany(
        { "payload.accountId": accountId },
        { $set: { "payload.loginTs": 1_700_000_000 } },
      );
    const led = await steps.browser.submit(page, {}, "/link/one");
    expect(led.url.pathname).toMatch(/^\/auth\/interaction\//);
  });

  test("while the provider is down: a page says so, with a way back (503)", async () => {
    const standing = await onSecurityPage(await addMember(federation.auth));
    const { sub } = federation.one.people.add(newcomer());
    const callback = await goAndPick(standing, sub);
    federation.one.faults.add({ kind: "reset", path: "/token", count: 1 });
    const page = await standing.steps.browser.open(callback);
    expect(page.status).toBe(503);
    expect(page.body).toContain('href="/auth/account/security"');
  });
});
