import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arbitraryOf, type Schema } from "./arbitrary.ts";
import { KINDS } from "./kinds.ts";
import { judge, saidOf } from "./verdict.ts";

const kindOf = (name: string) => {
  const kind = KINDS.find((one) => one.kind === name);
  if (!kind) throw new Error(`${name} is not fuzzed`);
  return kind;
};

describe("arbitraryOf", () => {
  const union: Schema = {
    type: "object",
    required: ["type"],
    properties: {
      type: { type: "string", enum: ["RequestMirror", "CORS"] },
      requestMirror: { type: "object", properties: { percent: { type: "integer" } } },
      cors: { type: "object", properties: { maxAge: { type: "integer" } } },
    },
  };

  it("gives an object what its type names, nearly always, and nothing that another type has", () => {
    const made = fc.sample(arbitraryOf(union, {}), { numRuns: 500, seed: 1 }) as {
      type?: string;
      requestMirror?: object;
      cors?: object;
    }[];
    const whole = made.filter((one) => one?.type === "CORS");
    expect(whole.length).toBeGreaterThan(150);
    expect(whole.filter((one) => one.requestMirror !== undefined)).toEqual([]);
    expect(whole.filter((one) => one.cors === undefined).length).toBeLessThan(25);
  });

  it("makes values of the schema's pattern and bounds, words that lead somewhere, and some that break it", () => {
    const schema: Schema = { type: "string", pattern: "^[0-9]{1,3}(h|ms)$" };
    const made = fc.sample(arbitraryOf(schema, { timeout: ["forever"] }, "timeout"), {
      ...{ numRuns: 600, seed: 2 },
    });
    const matching = made.filter((one) => /^[0-9]{1,3}(h|ms)$/.test(String(one)));
    const words = made.filter((one) => one === "forever");
    expect(matching.length).toBeGreaterThan(100);
    expect(words.length).toBeGreaterThan(200);
    expect(made.length - matching.length - words.length).toBeGreaterThan(5);
  });

  it("makes the same of the same seed", () => {
    const sample = () => fc.sample(arbitraryOf(union, {}), { numRuns: 50, seed: 3 });
    expect(sample()).toEqual(sample());
  });
});

describe("judge", () => {
  const route = kindOf("HTTPRoute");
  const entry = (conditions: object[], controllerName = "gateway.portico.dev/controller") =>
    saidOf(route, { parents: [{ controllerName, conditions: conditions as never }] });
  const refusal = { type: "Accepted", status: "False", reason: "Odd", message: "spec is odd" };

  it("a refusal with a reason is explained; one without, or one that is told nowhere, is silent", () => {
    expect(judge(route, entry([refusal]), true, true)).toBe("explained");
    expect(judge(route, entry([{ ...refusal, reason: "" }]), true, true)).toBe("silent");
    expect(judge(route, entry([{ ...refusal, message: "" }]), true, true)).toBe("silent");
    expect(judge(route, [], true, true)).toBe("silent");
    expect(judge(route, [], false, true)).toBe("silent");
  });

  it("what nobody says anything of is ignored, unless it is another controller's", () => {
    expect(judge(route, [], undefined, true)).toBe("ignored");
    expect(judge(route, [], undefined, false)).toBe("foreign");
    expect(judge(route, entry([refusal], "other.example/one"), undefined, true)).toBe("ignored");
  });

  it("kinds without a status tell in the controller's own list", () => {
    expect(judge(kindOf("ReferenceGrant"), [], true, true)).toBe("statusless");
    expect(judge(kindOf("ReferenceGrant"), [], undefined, true)).toBe("good");
  });

  it("reads a Mapping's state and a Gateway's listeners", () => {
    const mapping = kindOf("Mapping");
    expect(judge(mapping, saidOf(mapping, { state: "Running" }), false, true)).toBe("good");
    const bad = saidOf(mapping, { state: "Inactive", reason: "no service" });
    expect(judge(mapping, bad, true, true)).toBe("explained");
    const gateway = kindOf("Gateway");
    const said = saidOf(gateway, { listeners: [{ conditions: [refusal] }] });
    expect(judge(gateway, said, true, true)).toBe("explained");
  });
});
