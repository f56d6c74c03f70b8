import fc from "fast-check";
import { expect, test } from "vitest";
import { readQuestion, writeAnswer } from "./messages.ts";
import { bytesField, numberField, readFields } from "./protobuf.ts";

const entry = fc.record({ key: fc.string(), value: fc.string({ maxLength: 300 }) });
const question = fc.record({
  domain: fc.string({ minLength: 1 }),
  descriptors: fc.array(fc.array(entry, { maxLength: 4 }), { maxLength: 4 }),
});

test("a question > is read as it was written, whatever else is in it", () => {
  fc.assert(
    fc.property(question, fc.nat(), (written, hits) => {
      const bytes = Buffer.concat([
        bytesField(1, written.domain),
        ...written.descriptors.map((entries) =>
          bytesField(
            2,
            Buffer.concat(
              entries.map(({ key, value }) =>
                bytesField(1, Buffer.concat([bytesField(1, key), bytesField(2, value)])),
              ),
            ),
          ),
        ),
        numberField(3, hits),
      ]);
      expect(readQuestion(bytes)).toEqual({
        domain: written.domain.toWellFormed(),
        descriptors: written.descriptors,
      });
    }),
  );
});

test("bytes that are no message > are refused, and never read beyond their end", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        for (const [, value] of readFields(Buffer.from(bytes))) {
          expect(value.length).toBeLessThanOrEqual(bytes.length);
        }
      } catch (error) {
        expect(String(error)).toMatch(/message/);
      }
    }),
  );
  expect(() => readQuestion(Buffer.from([0x0a, 0xff]))).toThrow("ends within");
  expect(() => readQuestion(Buffer.from([0x0a, 0x05, 0x61]))).toThrow("ends within");
  expect(() => readQuestion(Buffer.from([0x0b]))).toThrow("wire type 3");
});

test("an answer > has Envoy's numbers", () => {
  const answer = {
    isOverLimit: true,
    responseHeaders: { "retry-after": "1" },
    requestHeaders: { "x-a": "b" },
    metadata: { refused: "a/b/0" },
  };
  expect(writeAnswer(answer).toString("hex")).toBe(
    [
      "0802",
      "1a10 0a0b 72657472792d6166746572 1201 31",
      "2208 0a03 782d61 1201 62",
      "3214 0a12 0a07 72656675736564 1207 1a05 612f622f30",
    ]
      .join("")
      .replaceAll(" ", ""),
  );
});
