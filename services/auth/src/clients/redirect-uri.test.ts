import { describe, expect, test } from "vitest";
import { isOnLaptop, mistakeInRedirectUri, mistakeInWebUri } from "./redirect-uri.ts";

describe("a web application's redirect URI", () => {
  test.each([
    "https://app.example/callback",
    "https://app.example",
    "https://app.example/",
    "https://app.example:8443/callback?tenant=1",
    "https://xn--bcher-kva.example/callback",
  ])("is good: %s", (uri) => {
    expect(mistakeInRedirectUri(uri, "web", false)).toBeUndefined();
  });

  test.each([
    "http://app.example/callback",
    "http://localhost/callback",
    "http://127.0.0.1/callback",
    "https://*.app.example/callback",
    "https://app.example/*",
    "https://app.example/callback#fragment",
    "https://app.example/callback#",
    "https://user@app.example/callback",
    "https://user:password@app.example/callback",
    "https://:password@app.example/callback",
    "https://app.example/a/../callback",
    "https://app.example/%2e%2e/callback",
    "https://app.example\\@evil.example/",
    "https://APP.example/callback",
    "https://app.example:443/callback",
    "https://bücher.example/callback",
    "https://app.example/call back",
    " https://app.example/callback",
    "//app.example/callback",
    "/callback",
    "app.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "com.example.app:/callback",
    "",
  ])("is refused: %s", (uri) => {
    expect(mistakeInRedirectUri(uri, "web", false)).toBeTruthy();
  });

  test("may be on a laptop where the platform is on one", () => {
    expect(mistakeInRedirectUri("http://localhost:3000/callback", "web", true)).toBeUndefined();
    expect(mistakeInRedirectUri("http://app.example/callback", "web", true)).toBeTruthy();
  });
});

describe("a native application's redirect URI (RFC 8252)", () => {
  test.each([
    "http://127.0.0.1/callback",
    "http://[::1]/callback",
    "http://localhost:1234/callback",
    "https://app.example/callback",
    "com.example.app:/callback",
    "com.example.app://callback",
  ])("is good: %s", (uri) => {
    expect(mistakeInRedirectUri(uri, "native", false)).toBeUndefined();
  });

  test.each([
    "http://app.example/callback",
    "http://127.0.0.1.evil.example/callback",
    "http://127.0.0.1@evil.example/callback",
    "https://localhost/callback",
    "myapp:/callback",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "com.example.app:/callback#x",
  ])("is refused: %s", (uri) => {
    expect(mistakeInRedirectUri(uri, "native", false)).toBeTruthy();
  });
});

test("a server that auth calls > is reached by https, or on the same laptop", () => {
  expect(mistakeInWebUri("https://app.example/logout", false)).toBeUndefined();
  expect(mistakeInWebUri("http://127.0.0.1:9/logout", true)).toBeUndefined();
  for (const uri of ["http://127.0.0.1:9/logout", "http://10.0.0.1/", "ftp://app.example/", "x"]) {
    expect(mistakeInWebUri(uri, false)).toBeTruthy();
  }
});

test("a platform is on a laptop > when its issuer is", () => {
  expect(isOnLaptop("http://localhost:8080/auth")).toBe(true);
  expect(isOnLaptop("http://127.0.0.1:8080/auth")).toBe(true);
  expect(isOnLaptop("https://portico.example/auth")).toBe(false);
  expect(isOnLaptop("https://localhost/auth")).toBe(false);
});
