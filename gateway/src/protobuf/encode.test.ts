import { expect, test } from "vitest";
import type { Json } from "../envoy/envoy-config.ts";
import { createEncoder } from "./encode.ts";
import { readSchema } from "./schema.ts";

/** Against the bytes that the encoding guide of Protocol Buffers and its rules for JSON give. */

const SCHEMA = readSchema({
  "test.v1": {
    Everything: `
      1 number uint32
      2 text string
      3 flag bool
      4 inner Everything
      5 texts string[]
      6 numbers uint32[]
      7 colour {RED=0 GREEN=2}
      8 labels map<string>
      9 real double
      10 wait google.protobuf.Duration
      11 most google.protobuf.UInt32Value
      12 settings google.protobuf.Any
      13 anything google.protobuf.Struct`,
  },
});

const encode = createEncoder(SCHEMA, new Set());
const hex = (message: Json) =>
  Buffer.from(encode("test.v1.Everything", message))
    .toString("hex")
    .replace(/(..)(?!$)/g, "$1 ");
const text = (value: string) =>
  Buffer.from(value)
    .toString("hex")
    .replace(/(..)(?!$)/g, "$1 ");

test.each<[string, Json, string]>([
  ["a number of two bytes", { number: 150 }, "08 96 01"],
  ["the largest number", { number: 4_294_967_295 }, "08 ff ff ff ff 0f"],
  ["a text", { text: "testing" }, `12 07 ${text("testing")}`],
  ["a text beyond ASCII, by its bytes", { text: "é" }, "12 02 c3 a9"],
  ["what is a default, since in a oneof it says which", { flag: false, text: "" }, "18 00 12 00"],
  ["a message in a message", { inner: { number: 150 } }, "22 03 08 96 01"],
  ["texts, each with its tag", { texts: ["a", "b"] }, "2a 01 61 2a 01 62"],
  ["numbers, packed", { numbers: [3, 270] }, "32 03 03 8e 02"],
  ["an enumeration, by its name", { colour: "GREEN" }, "38 02"],
  ["a map, by entries", { labels: { a: "b" } }, "42 06 0a 01 61 12 01 62"],
  ["a double", { real: 1 }, "49 00 00 00 00 00 00 f0 3f"],
  ["a duration", { wait: "1.5s" }, "52 08 08 01 10 80 ca b5 ee 01"],
  ["a wrapped number", { most: 5 }, "5a 02 08 05"],
  ["nothing for what is not there", { number: undefined }, ""],
])("protobuf > has %s", (_what, message, bytes) => {
  expect(hex(message)).toBe(bytes);
});

test("protobuf > a type that is known goes as itself, another as a struct with its name", () => {
  const known = { "@type": "type.googleapis.com/test.v1.Everything", number: 1 };
  expect(hex({ settings: known })).toBe(`62 2c 0a 26 ${text(known["@type"])} 12 02 08 01`);
  const other = { "@type": "type.googleapis.com/a.B", on: true };
  const bytes = hex({ settings: other });
  expect(bytes).toContain(text("type.googleapis.com/xds.type.v3.TypedStruct"));
  expect(bytes).toContain(
    `0a 17 ${text("type.googleapis.com/a.B")} 12 0a 0a 08 0a 02 6f 6e 12 02 20 01`,
  );
});

test("protobuf > a struct has every kind of value", () => {
  const anything = { a: [1, "b", true, { c: [] }] };
  const one = "0a 09 11 00 00 00 00 00 00 f0 3f";
  const rest = "0a 03 1a 01 62 0a 02 20 01";
  const inner = "0a 0b 2a 09 0a 07 0a 01 63 12 02 32 00";
  expect(hex({ anything })).toBe(`6a 2a 0a 28 0a 01 61 12 23 32 21 ${one} ${rest} ${inner}`);
});

test.each<[string, Json, string]>([
  ["a field that is not in the schema", { numbr: 1 }, "test.v1.Everything has no field numbr"],
  ["a name that an enumeration does not have", { colour: "BLUE" }, "BLUE is none of RED, GREEN"],
])("protobuf > refuses %s, so that nothing is left out", (_what, message, problem) => {
  expect(() => hex(message)).toThrow(problem);
});

test("protobuf > remembers the bytes of the same JavaScript object", () => {
  const remembering = createEncoder(SCHEMA, new Set(["test.v1.Everything"]));
  const message = { text: "a" };
  expect(remembering("test.v1.Everything", message)).toBe(
    remembering("test.v1.Everything", message),
  );
});
