import { expect, test } from "vitest";
import { createFormTokens, outdatedForm } from "./form-token.ts";

const tokens = createFormTokens("http://portico.example", ["one", "two"]);

const formWith = (made: { toString(): string }) => {
  const [, value = ""] = /value="([^"]+)"/.exec(made.toString()) ?? [];
  return new URLSearchParams({ form_token: value });
};

const isAccepted = (form: URLSearchParams, boundTo: string, by = tokens) => {
  try {
    by.require(form, boundTo);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ status: 403, code: outdatedForm.code });
    return false;
  }
};

test("a form token > is accepted for what it is bound to, and for nothing else", () => {
  const form = formWith(tokens.field("session one"));
  expect(isAccepted(form, "session one")).toBe(true);
  expect(isAccepted(form, "session two")).toBe(false);
  expect(isAccepted(form, "")).toBe(false);
});

test.each([
  ["missing", new URLSearchParams()],
  ["empty", new URLSearchParams({ form_token: "" })],
  ["of another key", formWith(createFormTokens("http://x", ["three"]).field("session one"))],
])("a form token > is refused when it is %s", (_, form) => {
  expect(isAccepted(form, "session one")).toBe(false);
});

test("a form token > outlives a change of keys for as long as the old key is known", () => {
  const form = formWith(createFormTokens("http://x", ["two"]).field("session one"));
  expect(isAccepted(form, "session one")).toBe(true);
});

test("a browser without a session > is known again by a cookie that no script reads", () => {
  const { boundTo, headers } = tokens.browserOf(undefined);
  const cookie = headers["Set-Cookie"] ?? "";
  expect(cookie).toMatch(/^portico-form=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax$/);
  const again = tokens.browserOf(`other=1; ${cookie.split(";")[0]}`);
  expect(again).toEqual({ boundTo, headers: {} });
  expect(tokens.browserOf(undefined).boundTo).not.toBe(boundTo);
});

test("a browser without a session > behind TLS gets a cookie that no sibling domain can set", () => {
  const { headers } = createFormTokens("https://portico.example", ["one"]).browserOf(undefined);
  expect(headers["Set-Cookie"]).toMatch(/^__Host-portico-form=.*; Path=\/; .*; Secure$/);
});
