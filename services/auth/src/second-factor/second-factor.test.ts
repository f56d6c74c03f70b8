import { describe, expect, test } from "vitest";
import {
  isBelow,
  type Level,
  levelNeeded,
  levelOf,
  type Passkey,
  type SecondFactors,
  together,
} from "./second-factor.ts";

const none: SecondFactors = { authenticator: null, passkeys: [], recoveryCodesLeft: 0 };
const app = { ...none, authenticator: { sealedSecret: "", lastStep: 0, addedAt: new Date() } };
const passkey = { ...none, passkeys: [{} as Passkey] };

describe("the level that a sign-in needs", () => {
  test.each<[string, SecondFactors, string[], string, Level]>([
    ["nobody asks for more", none, [], "", "aal1"],
    ["the person has an authenticator app", app, [], "", "aal2"],
    ["the person has a passkey", passkey, [], "", "aal2"],
    ["only recovery codes are left", { ...none, recoveryCodesLeft: 3 }, [], "", "aal1"],
    ["a role of the person needs it", none, ["admin"], "", "aal2"],
    ["another role needs it", none, ["clinician"], "", "aal1"],
    ["the client asks for two factors", none, [], "aal2", "aal2"],
    ["the client asks for one", none, [], "aal1", "aal1"],
    ["the client takes either", none, [], "aal2 aal1", "aal1"],
    ["the client asks for what nobody knows", none, [], "urn:gold", "aal1"],
    ["the client asks for that or two factors", none, [], "urn:gold aal2", "aal2"],
    ["the client takes one, and the person has more", app, [], "aal1", "aal2"],
  ])("%s", (_, factors, roles, acrValues, expected) => {
    const account = { roles: ["member" as const, "admin" as const] };
    expect(levelNeeded(account, factors, roles as "admin"[], acrValues)).toBe(expected);
  });

  test("a level is below another", () => {
    expect([isBelow("aal1", "aal2"), isBelow("aal2", "aal1")]).toEqual([true, false]);
    expect([isBelow("aal1", "aal1"), isBelow("aal2", "aal2")]).toEqual([false, false]);
  });
});

test("what a sign-in proved > RFC 8176's names, each once, and the level that follows", () => {
  expect(together(["pwd"], "otp")).toEqual(["pwd", "otp", "mfa"]);
  expect(together(["pop", "mfa"], "pop")).toEqual(["pop", "mfa"]);
  expect([levelOf(["pwd"]), levelOf(["pwd", "otp", "mfa"]), levelOf()]).toEqual([
    "aal1",
    "aal2",
    "aal1",
  ]);
});
