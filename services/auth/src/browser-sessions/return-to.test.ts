import { expect, test } from "vitest";
import { returnToWith } from "./return-to.ts";

const returnTo = returnToWith("https://portico.example", "https://app.example/home");

test.each([
  [null, "https://app.example/home"],
  ["/", "https://portico.example/"],
  ["/posts/1?a=b#c", "https://portico.example/posts/1?a=b#c"],
  ["posts", "https://portico.example/posts"],
  ["https://app.example/inbox", "https://app.example/inbox"],
  ["https://portico.example/x", "https://portico.example/x"],
  ["/https://evil.example", "https://portico.example/https://evil.example"],
  ["https:evil.example", "https://portico.example/evil.example"],
  ["/a/../b", "https://portico.example/b"],
])("a browser may return to %j", (given, where) => {
  expect(returnTo(given)).toBe(where);
});

test.each([
  "https://evil.example/",
  "//evil.example",
  "///evil.example",
  "/\\evil.example",
  "\\\\evil.example",
  "/\t/evil.example",
  "\n//evil.example",
  " //evil.example",
  "http://portico.example/",
  "https://portico.example:8443/",
  "https://portico.example.evil.example/",
  "https://portico.example@evil.example/",
  "https://evil.example\\@portico.example/",
  "https://user:secret@portico.example/",
  "https://sub.app.example/",
  "javascript:alert(1)",
  "data:text/html,x",
  "blob:https://portico.example/1",
  "https://[::1",
  "/auth/browser-session/start",
  "/auth/./browser-session/callback?state=x",
  `/${"a".repeat(1_100)}`,
])("a browser may not return to %j", (given) => {
  expect(() => returnTo(given)).toThrow(
    expect.objectContaining({ status: 400, code: "invalid-request" }),
  );
});
