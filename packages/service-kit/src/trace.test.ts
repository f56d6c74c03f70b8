import { describe, expect, it } from "vitest";
import { continueTrace, inTrace, traceparent } from "./trace.ts";

const id = "0af7651916cd43dd8448eb211c80319c";
const parent = "b7ad6b7169203331";

describe("a trace", () => {
  it("continues a valid traceparent under a span of its own", () => {
    const trace = continueTrace(`00-${id}-${parent}-01`);
    expect(trace).toMatchObject({ traceId: id, flags: "01" });
    expect(trace.spanId).toMatch(/^[\da-f]{16}$/);
    expect(trace.spanId).not.toBe(parent);
    inTrace(trace, () => expect(traceparent()).toBe(`00-${id}-${trace.spanId}-01`));
  });

  it("continues what a later version of the header says", () => {
    expect(continueTrace(`01-${id}-${parent}-01-more`).traceId).toBe(id);
  });

  it.each([
    ["nothing", undefined],
    ["an empty header", ""],
    ["garbage", "garbage"],
    ["an id of zeros", `00-${"0".repeat(32)}-${parent}-01`],
    ["a parent of zeros", `00-${id}-${"0".repeat(16)}-01`],
    ["capitals", `00-${id.toUpperCase()}-${parent}-01`],
    ["the version that is none", `ff-${id}-${parent}-01`],
    ["more than version 00 has", `00-${id}-${parent}-01-more`],
    ["two headers in one", `00-${id}-${parent}-01, 00-${id}-${parent}-01`],
  ])("starts anew from %s", (_, header) => {
    const trace = continueTrace(header);
    expect(trace.traceId).toMatch(/^[\da-f]{32}$/);
    expect(trace.traceId).not.toBe(id);
  });

  it("has no traceparent outside", () => {
    expect(traceparent()).toBeUndefined();
  });
});
