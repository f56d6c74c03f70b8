import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { createAuthenticator, type Differently } from "../testing/software-authenticator.ts";
import { somebody, startFactors, type TestFactors } from "../testing/test-factors.ts";

const origin = "http://localhost:8080";

let factors: TestFactors;
beforeAll(async () => {
  factors = await startFactors(inject("stores"), origin);
});
afterAll(() => factors.stop());

const session = "session one";

async function withPasskey(device = createAuthenticator(origin)) {
  const account = somebody();
  const options = await factors.passkeys.creationOptions(account, session);
  const answer = device.create(options);
  const { recoveryCodes } = await factors.passkeys.add(account.id, session, answer, "My phone");
  return { account, device, recoveryCodes };
}

const refusalOf = (work: Promise<unknown>) =>
  work.then(
    () => "accepted",
    ({ code }: { code: string }) => code,
  );

describe("adding a passkey", () => {
  test("asks for one that is discoverable and verifies its owner", async () => {
    const account = somebody();
    const options = await factors.passkeys.creationOptions(account, session);
    expect(options).toMatchObject({
      rp: { id: "localhost", name: "Portico" },
      user: { name: account.email },
      attestation: "none",
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
    });
    expect(Buffer.from(options.user.id, "base64url").toString()).toBe(account.id);
  });

  test("keeps it, and gives recovery codes with the first", async () => {
    const { account, device, recoveryCodes } = await withPasskey();
    expect(recoveryCodes).toHaveLength(10);
    const options = await factors.passkeys.creationOptions(account, session);
    expect(options.excludeCredentials).toHaveLength(1);
    const second = device.create(options);
    expect(await factors.passkeys.add(account.id, session, second, "Other")).toEqual({
      recoveryCodes: [],
    });
    const { passkeys } = await factors.factors.find(account.id);
    expect(passkeys).toMatchObject([
      { name: "My phone", counter: 0, transports: ["internal"], usedAt: null },
      { name: "Other" },
    ]);
  });

  test.each<[string, Differently]>([
    ["another origin", { origin: "https://evil.example" }],
    ["another relying party", { rpId: "evil.example" }],
    ["a device that did not verify its owner", { userVerified: false }],
    ["a signature in place of a new key", { type: "webauthn.get" }],
  ])("refuses what comes from %s", async (_, differently) => {
    const account = somebody();
    const device = createAuthenticator(origin);
    const options = await factors.passkeys.creationOptions(account, session);
    const answer = device.create(options, differently);
    const add = factors.passkeys.add(account.id, session, answer, "A");
    expect(await refusalOf(add)).toBe("passkey-refused");
    expect((await factors.factors.find(account.id)).passkeys).toEqual([]);
  });

  test("refuses a challenge of another session, a used one, one of long ago, and none of ours", async () => {
    const account = somebody();
    const device = createAuthenticator(origin);
    const add = (answer: string, boundTo = session) =>
      refusalOf(factors.passkeys.add(account.id, boundTo, answer, "A"));
    const answer = async () =>
      device.create(await factors.passkeys.creationOptions(account, session));

    expect(await add(await answer(), "session two")).toBe("passkey-refused");
    const once = await answer();
    expect(await add(once)).toBe("accepted");
    expect(await add(once)).toBe("passkey-refused");
    const late = await answer();
    factors.clock.now += 5 * 60_000 + 1;
    expect(await add(late)).toBe("passkey-refused");
    const foreign = { challenge: "AAAA", rp: { id: "localhost" }, user: { id: "AAAA" } };
    expect(await add(device.create(foreign))).toBe("passkey-refused");
    for (const garbage of ["", "{}", "null", '{"id":1}']) {
      expect(await add(garbage)).toBe("passkey-refused");
    }
  });

  test("refuses a challenge that was made for signing in", async () => {
    const account = somebody();
    const { challenge } = await factors.passkeys.requestOptions(session);
    const options = { ...(await factors.passkeys.creationOptions(account, session)), challenge };
    const answer = createAuthenticator(origin).create(options);
    const add = factors.passkeys.add(account.id, session, answer, "A");
    expect(await refusalOf(add)).toBe("passkey-refused");
  });
});

describe("a passkey", () => {
  const sign = async (
    { account, device }: Awaited<ReturnType<typeof withPasskey>>,
    { known = false, ...differently }: Differently & { known?: boolean } = {},
  ) => {
    const accountId = known ? account.id : undefined;
    const options = await factors.passkeys.requestOptions(session, accountId);
    return factors.passkeys.use(session, device.get(options, differently), accountId);
  };

  test("says whose it is, each time anew", async () => {
    const person = await withPasskey();
    expect(await sign(person)).toBe(person.account.id);
    expect(await sign(person)).toBe(person.account.id);
    const [passkey] = (await factors.factors.find(person.account.id)).passkeys;
    expect(passkey).toMatchObject({ counter: 2, usedAt: expect.any(Date) });
  });

  test("that does not count works each time too", async () => {
    const person = await withPasskey(createAuthenticator(origin, { counts: false }));
    expect(await sign(person)).toBe(person.account.id);
    expect(await sign(person)).toBe(person.account.id);
  });

  test("of a known person need not say whose it is; of an unknown one it must", async () => {
    const person = await withPasskey();
    expect(await sign(person, { known: true, userHandle: null })).toBe(person.account.id);
    expect(await refusalOf(sign(person, { userHandle: null }))).toBe("passkey-refused");
    const other = Buffer.from(somebody().id).toString("base64url");
    const misnamed = sign(person, { known: true, userHandle: other });
    expect(await refusalOf(misnamed)).toBe("passkey-refused");
  });

  test.each<[string, Differently]>([
    ["another origin", { origin: "https://evil.example" }],
    ["another relying party", { rpId: "evil.example" }],
    ["a device that did not verify its owner", { userVerified: false }],
    ["a device that names somebody else", { userHandle: "AAAA" }],
    ["a new key in place of a signature", { type: "webauthn.create" }],
  ])("is refused when it comes from %s", async (_, differently) => {
    const person = await withPasskey();
    expect(await refusalOf(sign(person, differently))).toBe("passkey-refused");
    expect(await refusalOf(sign(person))).toBe("accepted");
  });

  test("is refused when its counter stands still or falls: a copy is about", async () => {
    const person = await withPasskey();
    await sign(person, { counter: 7 });
    expect(await refusalOf(sign(person, { counter: 7 }))).toBe("passkey-refused");
    expect(await refusalOf(sign(person, { counter: 3 }))).toBe("passkey-refused");
    expect(await refusalOf(sign(person, { counter: 0 }))).toBe("passkey-refused");
    expect(await refusalOf(sign(person, { counter: 8 }))).toBe("accepted");
  });

  test("and its copy, used at the same moment, are not both accepted", async () => {
    const person = await withPasskey();
    const uses = await Promise.all([1, 2, 3].map(() => refusalOf(sign(person, { counter: 7 }))));
    expect(uses.sort()).toEqual(["accepted", "passkey-refused", "passkey-refused"]);
  });

  test("is refused for another account, another session, a used challenge, and one of long ago", async () => {
    const [person, other] = [await withPasskey(), await withPasskey()];
    const use = (answer: string, boundTo = session, accountId?: string) =>
      refusalOf(factors.passkeys.use(boundTo, answer, accountId));
    const answer = async () =>
      person.device.get(await factors.passkeys.requestOptions(session, person.account.id));

    expect(await use(await answer(), session, other.account.id)).toBe("passkey-refused");
    expect(await use(await answer(), "session two")).toBe("passkey-refused");
    const once = await answer();
    expect(await use(once)).toBe("accepted");
    expect(await use(once)).toBe("passkey-refused");
    const late = await answer();
    factors.clock.now += 5 * 60_000 + 1;
    expect(await use(late)).toBe("passkey-refused");
  });

  test("is refused when somebody else's key signed, or it was removed", async () => {
    const [person, other] = [await withPasskey(), await withPasskey()];
    const options = await factors.passkeys.requestOptions(session);
    const [forged, own] = [other.device.get(options), person.device.get(options)];
    const mixed = JSON.stringify({
      ...JSON.parse(own),
      response: {
        ...JSON.parse(own).response,
        signature: JSON.parse(forged).response.signature,
      },
    });
    expect(await refusalOf(factors.passkeys.use(session, mixed))).toBe("passkey-refused");
    const [passkey] = (await factors.factors.find(person.account.id)).passkeys;
    await factors.factors.removePasskey(person.account.id, passkey?.id ?? "");
    expect(await refusalOf(sign(person))).toBe("passkey-refused");
  });
});
