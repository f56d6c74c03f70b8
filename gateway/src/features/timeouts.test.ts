import { expect, test } from "vitest";
import { GATEWAY, given, route, TOKENS } from "./given.ts";

const timed = (timeouts: string) =>
  given(
    GATEWAY,
    TOKENS,
    route("r", `rules: [{ backendRefs: [{ name: auth, port: 80 }], timeouts: ${timeouts} }]`),
  );

test.each([
  ["{ request: 10s }", { timeout: "10s" }],
  ["{ request: 1m30s }", { timeout: "90s" }],
  ["{ request: 500ms }", { timeout: "0.5s" }],
  ["{ request: 0s }", { timeout: "0s" }],
  ["{ backendRequest: 2s }", { retry_policy: { per_try_timeout: "2s" } }],
])("timeouts > %s becomes %j", (timeouts, expected) => {
  expect(timed(timeouts).routes()[0]?.route).toMatchObject(expected);
});

test("timeouts > without any, Envoy's own 15 s hold", () => {
  const { routes } = timed("{}");
  expect(routes()[0]?.route).not.toHaveProperty("timeout");
  expect(routes()[0]?.route).not.toHaveProperty("retry_policy.per_try_timeout");
});

test("timeouts > what is not a duration is refused", () => {
  expect(timed("{ request: soon }").refusals).toEqual([
    expect.stringContaining("spec.rules[0].timeouts.request: is not a duration"),
  ]);
});

test("timeouts > of a try that may take longer than the request are refused", () => {
  expect(timed("{ request: 1s, backendRequest: 2s }").refusals).toEqual([
    expect.stringContaining("timeouts.backendRequest: is longer than the whole request may take"),
  ]);
  expect(timed("{ request: 0s, backendRequest: 2s }").refusals).toEqual([]);
});
