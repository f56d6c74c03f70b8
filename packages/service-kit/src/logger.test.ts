import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { Secret } from "./config.ts";
import { createTestLogger } from "./testing/test-app.ts";
import { continueTrace, inTrace } from "./trace.ts";

const logged = (fields: Record<string, unknown>) => {
  const { logger, lines } = createTestLogger();
  logger.info("thing.done", fields);
  expect(lines()).toHaveLength(1);
  return lines()[0] as Record<string, unknown>;
};

const canary = "c4n4ry";

describe("a log line", () => {
  it("is one JSON object with its time, level, service, event and trace", () => {
    const { logger, lines } = createTestLogger();
    const trace = continueTrace(undefined);
    inTrace(trace, () => logger.warn("thing.done", { count: 1 }));
    expect(lines()).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-.*Z$/),
        level: "warn",
        service: "example",
        event: "thing.done",
        traceId: trace.traceId,
        spanId: trace.spanId,
        count: 1,
      },
    ]);
  });

  it("is not written below the level", () => {
    const { logger, lines } = createTestLogger("warn");
    logger.debug("thing.done");
    logger.info("thing.done");
    logger.error("thing.failed");
    expect(lines().map(({ event }) => event)).toEqual(["thing.failed"]);
  });

  it.each([
    ["line ends", "a\r\nb\u2028c"],
    ["a forged line", `a\n{"level":"error","event":"forged"}`],
    ["a forged field", `a","event":"forged","b":"`],
    ["ANSI and NUL", "\u001b[31mred\u001b[0m\u0000"],
    ["a lone surrogate", "\ud800"],
  ])("stays one line with %s in a field", (_, text) => {
    const { logger, lines, text: written } = createTestLogger();
    logger.info("thing.done", { text, [text]: 1 });
    expect(lines()).toMatchObject([{ event: "thing.done", text }]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there
    expect(written()).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
    expect(written().trimEnd()).not.toContain("\n");
  });

  it("keeps its own fields whatever it is given", () => {
    const own = { level: "x", event: "x", service: "x", time: "x", other: 1 };
    expect(logged(own)).toMatchObject({
      level: "info",
      event: "thing.done",
      service: "example",
      time: expect.stringMatching(/Z$/),
      other: 1,
    });
  });

  it("is of a bounded size, whatever it is given", () => {
    const { logger, lines, text } = createTestLogger();
    logger.info("thing.done", { long: "a".repeat(1_000_000), many: Array(5_000).fill("b") });
    expect(lines()).toHaveLength(1);
    expect(text().length).toBeLessThan(16_384);
  });

  it("is written also with values that JSON has no word for", () => {
    const loop: Record<string, unknown> = { name: "loop" };
    loop.self = loop;
    const line = logged({
      loop,
      big: 10n,
      date: new Date(0),
      url: new URL("http://a/"),
      none: undefined,
    });
    expect(line).toMatchObject({ big: "10", date: "1970-01-01T00:00:00.000Z", url: "http://a/" });
  });
});

describe("an error in the log", () => {
  it("has its type, message, code, stack and every cause", () => {
    const root = Object.assign(new Error("connect failed"), { code: "ECONNREFUSED" });
    const error = new TypeError("no answer", { cause: new AggregateError([root], "all failed") });
    expect(logged({ error }).error).toMatchObject({
      type: "TypeError",
      message: "no answer",
      stack: expect.stringContaining("logger.test.ts"),
      cause: {
        message: "all failed",
        errors: [{ message: "connect failed", code: "ECONNREFUSED" }],
      },
    });
  });

  it("may be caused by itself", () => {
    const error = new Error("round");
    error.cause = error;
    expect(logged({ error }).error).toMatchObject({ message: "round" });
  });
});

describe("a secret in the log is redacted", () => {
  const names = [
    ...["password", "newPassword", "passwordHash", "passphrase", "clientSecret", "client_secret"],
    ...["accessToken", "access_token", "refreshToken", "token", "idToken", "jwt"],
    ...["authorization", "Authorization", "cookie", "Set-Cookie", "apiKey", "api_key", "x-api-key"],
    ...["privateKey", "private_key", "signingKeys", "credentials", "code", "codeVerifier", "otp"],
    ...["pan", "cardNumber", "card_number", "cvc", "cvv", "pin", "ssn", "email", "e-mail"],
  ];
  it.each(names)("by its name: %s", (name) => {
    const line = logged({ [name]: canary, deep: [{ [name]: { inner: canary } }] });
    expect(JSON.stringify(line)).not.toContain(canary);
  });

  it.each(["mongodbUri", "status", "tokenCount", "keyId", "passed", "panel", "codec", "spin"])(
    "and no more than that: %s stays",
    (name) => {
      expect(logged({ [name]: "kept" })).toMatchObject({ [name]: "kept" });
    },
  );

  it.each([
    ["a bearer token", `Authorization: Bearer ${canary}.a-b_c`],
    ["basic credentials", `authorization=basic ${Buffer.from(canary).toString("base64")}`],
    ["a JWT", `got eyJhbGciOiJub25lIn0.${canary}.${canary}`],
    ["half a JWT", `got eyJhbGciOiJub25lIn0.${canary}`],
    ["a MongoDB URI", `cannot reach mongodb://user:${canary}@host:27017/db?x=1`],
    ["several hosts", `mongodb+srv://user:${canary}@a,b,c/db`],
    ["a password with @ and /", `mongodb://user:p/${canary}@${canary}@host/db`],
    ["a Redis URI without a user", `rediss://:${canary}@host:6379`],
    ["an SMTP URI", `smtps://me%40a.b:${canary}@host`],
    ["an address that a mail server refuses", `550 5.1.1 <${canary}@portico.example> unknown`],
    ["any other URI", `http://me:${canary}@host/path`],
    [
      "a duplicate key",
      `E11000 duplicate key error collection: a.b dup key: { email: "${canary}" }`,
    ],
  ])("by its shape, in a text, an error and its causes: %s", (_, text) => {
    const error = new Error(text, { cause: new Error(text) });
    const line = logged({
      text,
      list: [text],
      error,
      url: URL.canParse(text) ? new URL(text) : "",
    });
    expect(JSON.stringify(line)).not.toContain(canary);
    expect(JSON.stringify(line)).not.toContain(Buffer.from(canary).toString("base64"));
  });

  it("and leaves the rest of the text to be read", () => {
    const { text } = logged({
      text: "GET mongodb://a:b@host/db failed for http://host:1/x?to=@me",
    });
    expect(text).toBe("GET mongodb://[redacted]@host/db failed for http://host:1/x?to=@me");
  });

  it("when it is a Secret", () => {
    expect(inspect(logged({ uri: new Secret(canary) }))).not.toContain(canary);
  });

  it("without giving an attacker's text time to spend", () => {
    const startedAt = performance.now();
    for (const part of ["http://a:", "eyJaaaaaaaa.", "Bearer ", "mongodb://", "a:/", "@"]) {
      logged({ text: part.repeat(200_000) });
    }
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});
