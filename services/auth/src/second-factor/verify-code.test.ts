import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { codeAt, somebody, startFactors, type TestFactors } from "../testing/test-factors.ts";

let factors: TestFactors;
beforeAll(async () => {
  factors = await startFactors(inject("stores"), "http://localhost:8080");
});
afterAll(() => factors.stop());

const stepMs = 30_000;

/** A person with an authenticator app, one step after it was added. */
async function enrolled() {
  const account = somebody();
  const { secret, sealed } = factors.enrol.offer(account);
  const code = codeAt(secret, factors.clock.now);
  const { recoveryCodes = [] } = (await factors.enrol.confirm(account, sealed, code)) ?? {};
  factors.clock.now += 2 * stepMs;
  return { account, secret, recoveryCodes, codeNow: () => codeAt(secret, factors.clock.now) };
}

const verify = ({ id }: { id: string }, given: { otp: string } | { recoveryCode: string }) =>
  factors.verifyCode(id, given);

const refusalOf = (work: Promise<unknown>) =>
  work.then(String, ({ code }: { code: string }) => code);

describe("adding an authenticator app", () => {
  test("needs a code of it, and gives recovery codes once", async () => {
    const account = somebody();
    const { secret, sealed } = factors.enrol.offer(account);
    expect(await factors.enrol.confirm(account, sealed, "000000")).toBeUndefined();
    expect((await factors.factors.find(account.id)).authenticator).toBeNull();

    const code = codeAt(secret, factors.clock.now);
    const { recoveryCodes } = (await factors.enrol.confirm(account, sealed, code)) ?? {};
    expect(recoveryCodes).toHaveLength(10);
    expect(await factors.factors.find(account.id)).toMatchObject({ recoveryCodesLeft: 10 });
  });

  test("shows the same secret again beside a wrong code", () => {
    const account = somebody();
    const { secret, sealed } = factors.enrol.offer(account);
    expect(factors.enrol.reopen(account, sealed).secret).toBe(secret);
  });

  test("takes no secret of another account, of another making, or of long ago", async () => {
    const [account, other] = [somebody(), somebody()];
    const { secret, sealed } = factors.enrol.offer(account);
    const confirm = (who: typeof account, what: string) =>
      factors.enrol.confirm(who, what, codeAt(secret, factors.clock.now));
    expect(await refusalOf(confirm(other, sealed))).toBe("outdated-secret");
    expect(await refusalOf(confirm(account, `${sealed}A`))).toBe("outdated-secret");
    expect(await refusalOf(confirm(account, ""))).toBe("outdated-secret");
    factors.clock.now += 16 * 60_000;
    expect(await refusalOf(confirm(account, sealed))).toBe("outdated-secret");
  });

  test("replaces none that there is, also of several at once", async () => {
    const account = somebody();
    const add = async () => {
      const { secret, sealed } = factors.enrol.offer(account);
      return factors.enrol.confirm(account, sealed, codeAt(secret, factors.clock.now));
    };
    const results = await Promise.all([add(), add(), add()].map(refusalOf));
    expect(results.filter((result) => result === "authenticator-exists")).toHaveLength(2);
  });

  test("keeps no secret that whoever reads the database could use", async () => {
    const { account, secret } = await enrolled();
    const document = await factors.mongo
      .collection("secondFactors")
      .findOne({ _id: account.id as never });
    expect(document).toMatchObject({ authenticator: { sealedSecret: expect.any(String) } });
    expect(JSON.stringify(document)).not.toContain(secret);
  });
});

describe("a code", () => {
  test("is right once: replayed it is refused, as is an older one", async () => {
    const { account, secret, codeNow } = await enrolled();
    const older = codeAt(secret, factors.clock.now - stepMs);
    expect(await verify(account, { otp: codeNow() })).toBe(true);
    expect(await verify(account, { otp: codeNow() })).toBe(false);
    expect(await verify(account, { otp: older })).toBe(false);
    factors.clock.now += stepMs;
    expect(await verify(account, { otp: codeNow() })).toBe(true);
  });

  test("seals the secret again when the key encryption key has changed", async () => {
    const { account, codeNow } = await enrolled();
    const next = Buffer.alloc(32, 7).toString("base64url");
    const both = factors.verifyCodeUnder(next, factors.key);
    const nextAlone = factors.verifyCodeUnder(next);
    await expect(nextAlone(account.id, { otp: codeNow() })).rejects.toThrow("No key");
    expect(await both(account.id, { otp: codeNow() })).toBe(true);
    expect(await both(account.id, { otp: codeNow() })).toBe(false);
    factors.clock.now += stepMs;
    expect(await nextAlone(account.id, { otp: codeNow() })).toBe(true);
  });

  test("that proved the app signs nobody in", async () => {
    const account = somebody();
    const { secret, sealed } = factors.enrol.offer(account);
    const code = codeAt(secret, factors.clock.now);
    await factors.enrol.confirm(account, sealed, code);
    expect(await verify(account, { otp: code })).toBe(false);
  });

  test("of two uses at once is right for one", async () => {
    const { account, codeNow } = await enrolled();
    const otp = codeNow();
    const results = await Promise.all([1, 2, 3, 4].map(() => verify(account, { otp })));
    expect(results.filter(Boolean)).toHaveLength(1);
  });

  test("of another account is wrong, as is any for an account without an app", async () => {
    const [one, other] = [await enrolled(), await enrolled()];
    expect(await verify(one.account, { otp: other.codeNow() })).toBe(false);
    expect(await verify(somebody(), { otp: other.codeNow() })).toBe(false);
    expect(await verify(other.account, { otp: other.codeNow() })).toBe(true);
  });

  test("can be guessed at five times, however many try at once", async () => {
    const { account, codeNow } = await enrolled();
    const guess = () => refusalOf(verify(account, { otp: "000000" }));
    const guesses = await Promise.all(Array.from({ length: 20 }, guess));
    expect(guesses.filter((result) => result === "false")).toHaveLength(5);
    expect(guesses.filter((result) => result === "too-many-requests")).toHaveLength(15);
    expect(await refusalOf(verify(account, { otp: codeNow() }))).toBe("too-many-requests");
    const other = await enrolled();
    expect(await verify(other.account, { otp: other.codeNow() })).toBe(true);
  });

  test("that is right ends the count", async () => {
    const { account, codeNow } = await enrolled();
    for (let round = 0; round < 3; round += 1) {
      for (let wrong = 0; wrong < 4; wrong += 1) await verify(account, { otp: "000000" });
      factors.clock.now += stepMs;
      expect(await verify(account, { otp: codeNow() })).toBe(true);
    }
  });
});

describe("a recovery code", () => {
  test("is right once, as it was shown or as people type it", async () => {
    const { account, recoveryCodes } = await enrolled();
    const [first = "", second = ""] = recoveryCodes;
    expect(await verify(account, { recoveryCode: first })).toBe(true);
    expect(await verify(account, { recoveryCode: first })).toBe(false);
    const typed = second.replace("-", " ").toUpperCase();
    expect(await verify(account, { recoveryCode: typed })).toBe(true);
    expect(await factors.factors.find(account.id)).toMatchObject({ recoveryCodesLeft: 8 });
  });

  test("of two uses at once is right for one", async () => {
    const { account, recoveryCodes } = await enrolled();
    const [recoveryCode = ""] = recoveryCodes;
    const results = await Promise.all([1, 2, 3].map(() => verify(account, { recoveryCode })));
    expect(results.filter(Boolean)).toHaveLength(1);
  });

  test("of another account is wrong", async () => {
    const [one, other] = [await enrolled(), await enrolled()];
    const [recoveryCode = ""] = other.recoveryCodes;
    expect(await verify(one.account, { recoveryCode })).toBe(false);
    expect(await verify(other.account, { recoveryCode })).toBe(true);
  });

  test("goes with the last second factor", async () => {
    const { account, recoveryCodes } = await enrolled();
    const [recoveryCode = ""] = recoveryCodes;
    expect(await factors.factors.removeAuthenticator(account.id)).toBe(true);
    expect(await verify(account, { recoveryCode })).toBe(false);
    expect(
      await factors.mongo.collection("secondFactors").countDocuments({ _id: account.id as never }),
    ).toBe(0);
  });
});
