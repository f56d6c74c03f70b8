import { expect, it } from "vitest";
import { isThrottled, VirtualCard } from "./extend-contract.ts";

const card = {
  id: "vc_1",
  displayName: "Travel",
  status: "ACTIVE",
  limitCents: 1,
  balanceCents: 1,
  last4: "1234",
};

it("takes a status that Extend has added since, and drops every field that is not ours", () => {
  const sent = { ...card, status: "FROZEN", vcn: "4111111111111111", securityCode: "123" };
  expect(VirtualCard.parse(sent)).toEqual({ ...card, status: "UNKNOWN" });
});

it.each([
  ["a number for the last digits", { last4: 1234 }],
  ["a whole card number for them", { last4: "4111111111111111" }],
  ["a fraction of a cent", { balanceCents: 0.5 }],
  ["no limit", { limitCents: undefined }],
  ["another kind of id", { id: "cc_1" }],
])("does not take %s", (_, fields) => {
  expect(VirtualCard.safeParse({ ...card, ...fields }).success).toBe(false);
});

it.each([
  [429, undefined, true],
  [422, { error: "Too many requests" }, true],
  [422, "busy", true],
  [422, { error: "Invalid request", details: [{ field: "count" }] }, false],
  [500, {}, false],
])("%i with %o is throttling: %s", (status, body, expected) => {
  expect(isThrottled(status, body)).toBe(expected);
});
