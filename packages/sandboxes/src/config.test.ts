import { describe, expect, it } from "vitest";
import { readConfig } from "./config.ts";

const complete = {
  EXTEND_API_KEY: "key",
  EXTEND_API_SECRET: "secret",
  IDENTITY_PROVIDER_CLIENT_SECRET: "secret",
  IDENTITY_PROVIDER_REDIRECT_URI: "http://localhost:8080/callback",
};

describe("configuration", () => {
  it("needs the secrets and a redirect URI only; ports have the platform's defaults", () => {
    expect(readConfig(complete)).toEqual({
      ...complete,
      HOST: "127.0.0.1",
      INBOX_SMTP_PORT: 8026,
      INBOX_HTTP_PORT: 8025,
      EXTEND_PORT: 8027,
      IDENTITY_PROVIDER_PORT: 8028,
      IDENTITY_PROVIDER_CLIENT_ID: "portico",
    });
  });

  it("names every mistake at once, and no value", () => {
    const wrong = { EXTEND_API_KEY: "", OPS_PORT: "70000", EXTEND_PORT: "x" };

    expect(() => readConfig(wrong)).toThrow(
      /EXTEND_PORT: .*\n {2}EXTEND_API_KEY: is required\n {2}EXTEND_API_SECRET: is required\n(?: {2}IDENTITY_.*\n){2} {2}OPS_PORT: /,
    );
    expect(() => readConfig(wrong)).not.toThrow("70000");
  });

  it("takes a user and a password together or not at all", () => {
    expect(() => readConfig({ ...complete, INBOX_USER: "portico" })).toThrow(
      "INBOX_PASSWORD: goes with INBOX_USER: set both or neither",
    );
  });
});
