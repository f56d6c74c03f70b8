import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  ConfigError,
  describeConfig,
  readConfig,
  Secret,
  ServiceConfig,
  secret,
} from "./config.ts";

const complete = {
  MONGODB_URI: "mongodb://posts:s3cret@127.0.0.1:27017/posts",
  ISSUER: "http://localhost:8080/auth",
  AUDIENCE: "http://localhost:8080",
  JWKS_URL: "http://localhost:8101/auth/jwks",
  REVOCATIONS_URL: "http://localhost:9101/revocations",
};

const mistakes = (environment: Record<string, string | undefined>, schema = ServiceConfig) => {
  try {
    readConfig(schema, environment);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message
      .split("\n")
      .slice(1)
      .map((line) => line.trim());
  }
  return [];
};

describe("a configuration", () => {
  it("is typed, complete by its defaults, and frozen", () => {
    const config = readConfig(ServiceConfig, { ...complete, PORT: "8102", OTHER: "ignored" });
    expect(config).toMatchObject({ host: "0.0.0.0", port: 8102, opsPort: 9090, drainMs: 0 });
    expect(config.mongodbUri.reveal()).toBe(complete.MONGODB_URI);
    expect(Object.isFrozen(config)).toBe(true);
    expect(config).not.toHaveProperty("other");
  });

  it("reports every mistake at once, by the variable's name and without its value", () => {
    const lines = mistakes({
      ...complete,
      PORT: "80a",
      OPS_PORT: "70000",
      LOG_LEVEL: "s3cret",
      JWKS_URL: "s3cret",
      MONGODB_URI: undefined,
      ISSUER: "",
    });
    expect(lines.map((line) => line.split(":")[0]).sort()).toEqual([
      "ISSUER",
      "JWKS_URL",
      "LOG_LEVEL",
      "MONGODB_URI",
      "OPS_PORT",
      "PORT",
    ]);
    expect(lines.join()).not.toContain("s3cret");
  });

  it("takes an empty variable for a missing one", () => {
    expect(mistakes({ ...complete, MONGODB_URI: "" })).toEqual(["MONGODB_URI: is required"]);
    expect(readConfig(ServiceConfig, { ...complete, PORT: "" }).port).toBe(8080);
  });

  it("says what is wrong between two variables", () => {
    const schema = z
      .object({ lowest: z.coerce.number(), highest: z.coerce.number() })
      .refine(({ lowest, highest }) => lowest <= highest, { error: "LOWEST is above HIGHEST" });
    expect(mistakes({ LOWEST: "2", HIGHEST: "1" }, schema as never)).toEqual([
      "LOWEST is above HIGHEST",
    ]);
  });
});

describe("a secret", () => {
  const value = new Secret("s3cret");

  it.each([
    ["text", String(value)],
    ["a template", `${value}`],
    ["joined text", `a ${[value].join()}`],
    ["JSON", JSON.stringify({ value, list: [value] })],
    ["inspect", inspect({ value }, { depth: 9, showHidden: true })],
    ["inspect without our say", inspect(value, { customInspect: false, showHidden: true })],
    ["an error", inspect(new Error(`failed with ${value}`, { cause: value }))],
    ["its own properties", JSON.stringify(Object.getOwnPropertyNames(value))],
    ["a clone", inspect(structuredClone(value))],
    ["a configuration", inspect(readConfig(ServiceConfig, complete))],
  ])("is not printed by %s", (_, printed) => {
    expect(printed).not.toContain("s3cret");
  });

  it("is had by asking for it", () => {
    expect(value.reveal()).toBe("s3cret");
  });
});

describe("the table of a configuration", () => {
  it("shows each variable with its meaning and default, and no default of a secret", () => {
    const table = describeConfig(
      z.object({
        mailFrom: z.string().default("a@b").meta({ description: "Sender" }),
        apiKey: secret("Key of the provider"),
        proxy: z.url().optional().meta({ description: "Proxy" }),
        tries: z.coerce.number().meta({ description: "How often" }).default(3),
      }),
    );
    expect(table.split("\n").slice(2)).toEqual([
      "| `MAIL_FROM` | Sender | `a@b` |",
      "| `API_KEY` | Key of the provider | required, secret |",
      "| `PROXY` | Proxy | none |",
      "| `TRIES` | How often | `3` |",
    ]);
  });
});
