import { expect, test } from "vitest";
import { everyScope, scopesPermitted } from "./role.ts";

test("roles > a member may not see patients, a clinician may", () => {
  expect(scopesPermitted(["member"])).not.toContain("patients:read");
  expect(scopesPermitted(["member", "clinician"])).toContain("patients:read");
});

test("roles > every role together permits every scope", () => {
  expect(new Set(scopesPermitted(["member", "clinician", "admin"]))).toEqual(new Set(everyScope));
});
