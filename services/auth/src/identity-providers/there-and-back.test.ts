import { createBrowser, type Visit } from "@portico/dev-env";
import request from "supertest";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import {
  createJourney,
  type Federation,
  newcomer,
  startFederation,
} from "../testing/federation.ts";

let federation: Federation;
beforeAll(async () => {
  federation = await startFederation(inject("stores"));
});
afterEach(() => {
  federation.one.faults.clear();
  federation.two.faults.clear();
});
afterAll(() => federation.stop());

const journey = () => createJourney(federation);
const somebody = () => federation.one.people.add(newcomer());
const hasCode = ({ url }: Visit) => url.searchParams.has("code") && url.host === "rp.example";

/** Up to the provider's answer, which is not delivered yet. */
async function answerOf(steps = journey(), person = somebody()) {
  const callback = await steps.pick(await steps.leave(await steps.open()), person.sub);
  return { steps, person, callback };
}

const wasMadeAnAccount = async ({ email }: { email: string }) =>
  (await federation.auth.mongo.collection("accounts").countDocuments({ email })) === 1;

/** What the page of a failure offers. */
const wayOnOf = ({ body }: Visit): string =>
  /href="(\/auth\/interaction\/[^"]+)">Go on another way/.exec(body)?.[1] ?? "none";

const ended = (page: Visit) => [page.status, page.body.includes("This sign-in has ended")];

const faults = [
  ["is down", { kind: "error", status: 500 }],
  ["answers garbage", { kind: "garbage" }],
  ["breaks off", { kind: "truncated" }],
  ["resets connections", { kind: "reset" }],
] as const;

// First in this file: by then nobody has asked the second provider for its metadata.
test("a provider that fails when somebody leaves for it: a page says so, and is no 500", async () => {
  const { auth, two } = federation;
  const steps = journey();
  let page = await steps.open();
  for (const [, fault] of faults) {
    two.faults.add({ ...fault, path: "/.well-known", count: 1 });
    const failed = await steps.leave(page, "Two ID");
    expect([failed.status, failed.body]).toEqual([
      503,
      expect.stringContaining("Two ID does not answer"),
    ]);
    page = await steps.browser.open(wayOnOf(failed));
  }
  expect((await steps.leave(page, "Two ID")).url.origin).toBe(two.url);
  expect(auth.logged().match(/identity-provider.failed/g)).toHaveLength(faults.length);
  expect(auth.logged()).not.toContain("request.failed");
});

describe("the answer of a provider", () => {
  test("works once: again it is refused, and so is one of two at once", async () => {
    const { steps, callback } = await answerOf();
    const both = await Promise.all([steps.browser.open(callback), steps.browser.open(callback)]);
    const refused = both.filter((page) => page.body.includes("This sign-in has ended"));
    expect(refused.map(({ status }) => status)).toEqual([400]);
    expect(ended(await steps.browser.open(callback))).toEqual([400, true]);
  });

  test("is nobody's in another browser, and still its own browser's", async () => {
    const { steps, callback, person } = await answerOf();
    const stranger = journey();
    await stranger.leave(await stranger.open());
    expect(ended(await stranger.browser.open(callback))).toEqual([400, true]);
    expect(ended(await createBrowser(federation.auth.origin).open(callback))).toEqual([400, true]);
    expect(await wasMadeAnAccount(person)).toBe(false);
    expect(hasCode(await steps.browser.open(callback))).toBe(true);
  });

  test("comes to an interaction that another browser cannot go on with", async () => {
    const { steps, callback } = await answerOf();
    const arrival = await openWithoutFollowing(steps.browser.cookies, callback);
    const page = await createBrowser(federation.auth.origin).open(arrival);
    expect([page.status, page.body]).toEqual([400, expect.stringContaining("has ended")]);
    expect(hasCode(await steps.browser.open(arrival))).toBe(true);
  });

  test("is too late after ten minutes", async () => {
    const { steps, callback } = await answerOf();
    const signIns = federation.auth.mongo.collection("federatedSignIns");
    await signIns.updateMany({}, { $set: { expiresAt: new Date(1) } });
    expect(ended(await steps.browser.open(callback))).toEqual([400, true]);
  });

  test.each([
    ["no state", (url: URL) => url.searchParams.delete("state")],
    ["another state", (url: URL) => url.searchParams.set("state", "x".repeat(43))],
    ["two states", (url: URL) => url.searchParams.append("state", "another")],
  ])("with %s is nobody's", async (_, change) => {
    const { steps, callback } = await answerOf();
    const changed = new URL(callback);
    change(changed);
    expect(ended(await steps.browser.open(changed))).toEqual([400, true]);
    expect(hasCode(await steps.browser.open(callback))).toBe(true);
  });

  test("goes to the redirect URI of its own provider only (mix-up)", async () => {
    const { steps, callback, person } = await answerOf();
    const elsewhere = new URL(callback.href.replace("/one/", "/two/"));
    expect(ended(await steps.browser.open(elsewhere))).toEqual([400, true]);
    expect(hasCode(await steps.browser.open(callback))).toBe(true);
    expect(await wasMadeAnAccount(person)).toBe(true);
  });

  test("is not another provider's code under this one's state (mix-up)", async () => {
    const steps = journey();
    const { callback } = await answerOf(steps);
    const person = federation.two.people.add(newcomer());
    const fromTwo = await steps.pick(await steps.leave(await steps.open(), "Two ID"), person.sub);
    for (const name of ["code", "iss"]) {
      callback.searchParams.set(name, String(fromTwo.searchParams.get(name)));
    }
    const page = await steps.browser.open(callback);
    expect([page.status, page.body]).toEqual([
      502,
      expect.stringContaining("could not be accepted"),
    ]);
    expect(await wasMadeAnAccount(person)).toBe(false);
    expect(hasCode(await steps.browser.open(fromTwo))).toBe(true);
  });

  test("of a provider that is not configured has no page (404)", async () => {
    await request(federation.auth.origin)
      .get("/auth/identity-providers/three/callback")
      .expect(404);
    const steps = journey();
    const { url } = await steps.open();
    expect((await steps.browser.open(`${url.pathname}/identity-providers/three`)).status).toBe(404);
  });
});

/** Where a page redirects to. */
async function openWithoutFollowing(cookies: { name: string; value: string }[], url: URL) {
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
  const response = await fetch(url, { headers: { cookie }, redirect: "manual" });
  expect(response.status).toBe(303);
  return response.headers.get("location") ?? "";
}

describe("an ID token that is wrong in", () => {
  test.each(["nonce", "aud", "iss", "exp", "alg", "signature"] as const)(
    "%s signs nobody in, and the person may try again",
    async (wrong) => {
      federation.one.faults.add({ kind: "id-token", wrong, count: 1 });
      const { steps, callback, person } = await answerOf();
      const page = await steps.browser.open(callback);
      expect([page.status, page.body]).toEqual([
        502,
        expect.stringContaining("could not be accepted"),
      ]);
      expect(await wasMadeAnAccount(person)).toBe(false);
      const signInPage = await steps.browser.open(wayOnOf(page));
      const again = await steps.pick(await steps.leave(signInPage), person.sub);
      expect(hasCode(await steps.browser.open(again))).toBe(true);
    },
  );
});

describe("a provider that", () => {
  test.each([
    ...faults.map(([name, fault]) => [name, "/token", fault] as const),
    ["is down", "/oauth2/v3/certs", { kind: "error", status: 503 }] as const,
  ])("%s at %s when somebody comes back", async (_, path, fault) => {
    federation.one.faults.add({ ...fault, path, count: 1 });
    const { steps, callback, person } = await answerOf();
    const page = await steps.browser.open(callback);
    expect([page.status, page.body]).toEqual([503, expect.stringContaining("does not answer")]);
    expect(await wasMadeAnAccount(person)).toBe(false);
  });

  test("signs with another key than before is believed at once", async () => {
    await answerOf().then(({ steps, callback }) => steps.browser.open(callback));
    federation.one.rotateKeys();
    const { steps, callback } = await answerOf();
    expect(hasCode(await steps.browser.open(callback))).toBe(true);
  });

  test("was asked and said no: the person is back where they chose it", async () => {
    const steps = journey();
    const cancelled = await steps.cancel(await steps.leave(await steps.open()));
    const back = await steps.browser.open(cancelled);
    expect([back.status, back.body]).toEqual([400, expect.stringContaining("You did not sign in")]);
    expect((await steps.browser.open(wayOnOf(back))).body).toContain("Continue with One ID");
  });
});

describe("what is kept and logged of it", () => {
  test("is of no use: no state, no secret of a browser, no code, no address", async () => {
    const { steps, callback, person } = await answerOf();
    const kept = JSON.stringify(
      await federation.auth.mongo.collection("federatedSignIns").find().toArray(),
    );
    const secret =
      steps.browser.cookies.find(({ name }) => name === "portico-away")?.value ?? "none";
    const [state, code] = ["state", "code"].map((name) => String(callback.searchParams.get(name)));
    await steps.browser.open(callback);
    const logged = federation.auth.logged();
    expect(kept).toContain('"providerId":"one"');
    for (const value of [secret, state, code]) {
      expect(kept).not.toContain(value);
      expect(logged).not.toContain(value);
    }
    expect(logged).toContain('"event":"account.created"');
    expect(logged).not.toContain(person.email);
  });

  test("stands in a cookie that no script reads and no other site sends", async () => {
    const steps = journey();
    const [, own = ""] =
      /href="([^"]+)">Continue with One ID/.exec((await steps.open()).body) ?? [];
    const cookie = steps.browser.cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
    const { headers } = await request(federation.auth.origin)
      .get(own)
      .set("Cookie", cookie)
      .expect(303);
    expect(String(headers["set-cookie"])).toMatch(
      /portico-away=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600/,
    );
  });
});
