import { expect, test } from "vitest";
import { nextUrl } from "./next-url.ts";

const account = "https://portico.example/auth/account";

test.each([
  ["https://portico.example", account],
  ["https://portico.example/", account],
  ["https://portico.example/app", "https://portico.example/app"],
  ["https://app.example", "https://app.example"],
  ["https://app.example/", "https://app.example/"],
])("who is done goes on from %s to %s", (frontendUrl, expected) => {
  expect(nextUrl("https://portico.example", frontendUrl)).toBe(expected);
});
