import { ConfigError, readConfig } from "@portico/service-kit";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { identityProviders, redirectUriOf } from "./identity-provider.ts";

const Config = z.object({ identityProviders });
const read = (given: unknown) =>
  readConfig(Config, {
    IDENTITY_PROVIDERS: typeof given === "string" ? given : JSON.stringify(given),
  });

const google = {
  id: "google",
  name: "Google",
  issuer: "https://accounts.google.com",
  clientId: "id.apps.googleusercontent.com",
  clientSecret: "a-secret-of-google",
};

const mistakeOf = (given: unknown): string => {
  try {
    read(given);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  return "accepted";
};

describe("the configuration of identity providers", () => {
  test("names Google in five words, and keeps its secret to itself", () => {
    const [provider] = read([google]).identityProviders ?? [];
    expect(provider).toMatchObject({
      id: "google",
      scopes: ["openid", "email", "profile"],
      idTokenSigningAlg: "RS256",
      parameters: {},
    });
    expect(provider?.clientSecret.reveal()).toBe("a-secret-of-google");
    expect(JSON.stringify(provider)).not.toContain("a-secret-of-google");
  });

  test("may be left out", () => {
    expect(readConfig(Config, {}).identityProviders).toBeUndefined();
  });

  test.each([
    ["what is no JSON", "[{a-secret-of-google", "must be a JSON list"],
    ["no list", google, "expected array"],
    ["a missing secret", [{ ...google, clientSecret: undefined }], "0.clientSecret"],
    ["an id that is no path", [{ ...google, id: "../x" }], "0.id must be lower-case"],
    ["an id twice", [google, google], "names an id twice"],
    ["an unknown setting", [{ ...google, secret: "a-secret-of-google" }], "secret"],
    [
      "an issuer without TLS",
      [{ ...google, issuer: "http://id.example" }],
      "0.issuer must be https",
    ],
    ["an issuer that is no web address", [{ ...google, issuer: "file:///x" }], "0.issuer"],
    [
      "a parameter of ours",
      [{ ...google, parameters: { state: "x" } }],
      "0.parameters must not set",
    ],
  ])("refuses %s, and says where, without a value", (_, given, mistake) => {
    const message = mistakeOf(given);
    expect(message).toContain("IDENTITY_PROVIDERS: ");
    expect(message).toContain(mistake);
    expect(message).not.toContain("a-secret-of-google");
  });

  test("takes one without TLS on this machine only", () => {
    for (const issuer of [
      "http://localhost:8028",
      "http://127.0.0.1:8028",
      "http://id.localhost",
    ]) {
      expect(mistakeOf([{ ...google, issuer }])).toBe("accepted");
    }
    expect(mistakeOf([{ ...google, issuer: "http://127.0.0.1.example" }])).toContain(
      "must be https",
    );
  });
});

test("each provider has a redirect URI of its own", () => {
  expect(redirectUriOf("https://portico.example/auth", { id: "google" })).toBe(
    "https://portico.example/auth/identity-providers/google/callback",
  );
});
