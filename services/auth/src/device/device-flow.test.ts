import { createBrowser, type Visit } from "@portico/dev-env";
import * as openid from "openid-client";
import request from "supertest";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { goThrough, registerClient } from "../testing/oauth-client.ts";
import { addMember, type Person, payloadOf } from "../testing/people.ts";
import { refusalOf } from "../testing/relying-party.ts";
import { startAuth, type TestAuth } from "../testing/start-auth.ts";

let auth: TestAuth;
let television: openid.Configuration;
let person: Person;

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

beforeAll(async () => {
  auth = await startAuth(inject("stores"));
  television = await registerClient(auth, {
    client_id: "television",
    client_name: "Television",
    application_type: "native",
    token_endpoint_auth_method: "none",
    grant_types: [deviceGrant, "refresh_token"],
    response_types: [],
    redirect_uris: [],
  });
  person = await addMember(auth);
});
afterAll(() => auth.stop());
/** What one address may send is limited, and all of these tests have one. */
beforeEach(() => auth.redis.flushdb());

const begin = () =>
  openid.initiateDeviceAuthorization(television, { scope: "openid offline_access posts:read" });

type Device = Awaited<ReturnType<typeof begin>>;

const poll = ({ device_code }: Device) =>
  openid.genericGrantRequest(television, deviceGrant, { device_code });

const browse = () => createBrowser(auth.origin);
type Browser = ReturnType<typeof browse>;

const typeCode = async (browser: Browser, userCode: string): Promise<Visit> =>
  browser.submit(await browser.open("/auth/device"), { user_code: userCode });

/** As far as the person's word that the device is theirs, then through the sign-in. */
async function connect(device: Device, browser = browse()): Promise<Visit> {
  const compare = await typeCode(browser, device.user_code);
  expect(compare.body).toContain("Is this your device?");
  const next = await browser.submit(compare, { confirm: "yes" });
  return goThrough(browser, next.url, person);
}

describe("a device", () => {
  test("is told where a person types which code, and for how long", async () => {
    const device = await begin();
    expect(device).toMatchObject({
      verification_uri: `${auth.origin}/auth/device`,
      verification_uri_complete: `${auth.origin}/auth/device?user_code=${device.user_code}`,
      expires_in: 600,
    });
    expect(device.user_code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
  });

  test("waits until the person has signed in, then has tokens, once", async () => {
    const device = await begin();
    expect(await refusalOf(poll(device))).toBe("authorization_pending");
    const done = await connect(device);
    expect([done.status, done.body]).toEqual([200, expect.stringContaining("Connected")]);

    const tokens = await poll(device);
    expect(payloadOf(tokens.access_token)).toMatchObject({
      client_id: "television",
      scope: "openid offline_access posts:read",
    });
    expect(await refusalOf(openid.refreshTokenGrant(television, tokens.refresh_token ?? ""))).toBe(
      "accepted",
    );
    expect(await refusalOf(poll(device))).toBe("invalid_grant");
  });

  test("is polled for by an unmodified client", async () => {
    const device = await begin();
    const tokens = openid.pollDeviceAuthorizationGrant(television, { ...device, interval: 1 });
    await connect(device);
    expect((await tokens).token_type).toBe("bearer");
  });

  test("is told to slow down when it asks again too soon, until it has waited or may come in", async () => {
    const device = await begin();
    const other = await begin();
    expect(await refusalOf(poll(device))).toBe("authorization_pending");
    expect(await refusalOf(poll(device))).toBe("slow_down");
    expect(await refusalOf(poll(other))).toBe("authorization_pending");
    const codes = auth.mongo.collection("deviceCodes");
    await codes.updateMany({}, { $set: { polledAt: new Date(Date.now() - 5_000) } });
    expect(await refusalOf(poll(device))).toBe("authorization_pending");
    const both = await Promise.all([other, other].map((one) => refusalOf(poll(one))));
    expect(both.sort()).toEqual(["authorization_pending", "slow_down"]);
    await connect(device);
    expect(await refusalOf(poll(device))).toBe("accepted");
  });

  test("of two polls at once, no more than one has the tokens", async () => {
    const device = await begin();
    await connect(device);
    const answers = await Promise.all([1, 2, 3].map(() => refusalOf(poll(device))));
    // A second use ends what the first one got, also while it is getting it.
    expect(answers.filter((answer) => answer === "accepted").length).toBeLessThan(2);
    expect(new Set(answers)).toContain("invalid_grant");
  });

  test("is refused when the person cancels, and when the code has expired", async () => {
    const cancelled = await begin();
    const browser = browse();
    const compare = await typeCode(browser, cancelled.user_code);
    const page = await browser.submit(compare, { abort: "yes" });
    expect(page.body).toContain("The device was not let in");
    expect(await refusalOf(poll(cancelled))).toBe("access_denied");

    const late = await begin();
    await auth.mongo
      .collection("deviceCodes")
      .updateMany({}, { $set: { "payload.exp": Math.floor(Date.now() / 1000) - 1 } });
    expect(await refusalOf(poll(late))).toBe("expired_token");
    expect((await typeCode(browse(), late.user_code)).body).toContain("has expired");
  });

  test("is let in once: its code is used up", async () => {
    const device = await begin();
    await connect(device);
    const page = await typeCode(browse(), device.user_code);
    expect([page.status, page.body]).toEqual([400, expect.stringContaining("has been used")]);
  });

  test("gets nothing with another's code, or with its user code, or with what is kept of it", async () => {
    const [mine, other] = [await begin(), await begin()];
    await connect(other);
    expect(await refusalOf(poll(mine))).toBe("authorization_pending");
    const kept = await auth.mongo.collection("deviceCodes").find().toArray();
    const guesses = [
      mine.user_code,
      ...kept.flatMap(({ _id, userCodeHash }) => [_id, userCodeHash]),
    ];
    for (const guess of guesses) {
      const answer = await refusalOf(poll({ ...mine, device_code: String(guess) }));
      expect(answer).toBe("invalid_grant");
    }
    expect(await refusalOf(poll(other))).toBe("accepted");
  });
});

describe("the page for user codes", () => {
  test("works without scripts, loads nothing foreign, and has a label for its field", async () => {
    const page = await browse().open("/auth/device");
    expect(page.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(page.body).not.toMatch(/<script|style=|onfocus/);
    expect(page.body).toContain('<label for="user_code">');
  });

  test("takes a code in small letters and without its dash", async () => {
    const { user_code } = await begin();
    const page = await typeCode(browse(), user_code.toLowerCase().replace("-", " "));
    expect(page.body).toContain(user_code);
    expect(page.body).toContain("Television");
  });

  test("is filled in by a link, and still asks for a press and a comparison", async () => {
    const device = await begin();
    const browser = browse();
    const page = await browser.open(device.verification_uri_complete ?? "");
    expect(page.body).toContain(`value="${device.user_code}"`);
    expect(page.body).not.toContain("<script");
    expect(await refusalOf(poll(device))).toBe("authorization_pending");
    const compare = await browser.submit(page, { user_code: device.user_code });
    expect(compare.body).toContain("Is this your device?");
  });

  test("escapes what a link puts into it", async () => {
    const page = await browse().open("/auth/device?user_code=%22%3E%3Cscript%3E");
    expect(page.body).toContain("&quot;&gt;&lt;script&gt;");
    expect(page.body).not.toContain("<script");
  });

  test("says what is wrong with a code", async () => {
    for (const wrong of ["BBBB-BBBB", "nonsense", "'; --"]) {
      const page = await typeCode(browse(), wrong);
      expect([page.status, page.body]).toEqual([400, expect.stringContaining("no such code")]);
    }
  });

  test("takes no form that it did not show to this browser", async () => {
    const { user_code } = await begin();
    const mine = browse();
    const shown = await mine.open("/auth/device");
    const stranger = browse();
    await stranger.open("/auth/device");
    const forged = await stranger.submit(shown, { user_code, confirm: "yes" });
    expect(forged.status).toBe(400);
    expect(forged.body).toContain("xsrf");
    expect((await mine.submit(shown, { user_code })).body).toContain("Is this your device?");
  });

  test("lets nobody guess: one place may send so many forms, and is told when to come back", async () => {
    const { user_code } = await begin();
    const browser = browse();
    const page = await browser.open("/auth/device");
    const guess = () =>
      request(auth.origin)
        .post("/auth/device")
        .set("Cookie", browser.cookies.map(({ name, value }) => `${name}=${value}`).join("; "))
        .type("form")
        .send({ xsrf: /name="xsrf" value="(\w+)"/.exec(page.body)?.[1], user_code });
    const statuses = await Promise.all(
      Array.from({ length: 70 }, async () => (await guess()).status),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(60);
    const refused = await guess().expect(429);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    expect(refused.text).toContain("Too many attempts");
  });
});

test("a client that is not registered for it > gets no device code", async () => {
  const web = await registerClient(auth, { client_id: "web" });
  const refused = openid.initiateDeviceAuthorization(web, { scope: "openid" });
  expect(await refusalOf(refused)).toBe("invalid_request");
});

test("what is kept > has neither the device code nor the user code", async () => {
  const device = await begin();
  await typeCode(browse(), device.user_code);
  const names = ["deviceCodes", "interactions", "sessions"];
  const kept = await Promise.all(names.map((name) => auth.mongo.collection(name).find().toArray()));
  const everything = JSON.stringify([kept, auth.logged()]);
  expect(everything).toContain("television");
  for (const secret of [device.device_code, device.user_code, device.user_code.replace("-", "")]) {
    expect(everything).not.toContain(secret);
  }
});
