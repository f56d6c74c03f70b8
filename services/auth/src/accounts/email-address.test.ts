import { expect, test } from "vitest";
import { EmailAddress } from "./email-address.ts";

test.each([
  ["in another case", "Ada@Portico.Example", "ada@portico.example"],
  ["with space around it", " ada@portico.example\t", "ada@portico.example"],
  ["with a domain in Unicode", "ada@bücher.example", "ada@xn--bcher-kva.example"],
  ["with a domain in wide letters", "ada@ｐortico.example", "ada@portico.example"],
  [
    "with signs that RFC 5321 allows",
    "o'hara+shop/1@portico.example",
    "o'hara+shop/1@portico.example",
  ],
  ["of a top-level domain in Unicode", "ada@пример.рф", "ada@xn--e1afmkfd.xn--p1ai"],
])("an address %s is normalised: %j", (_, given, normalised) => {
  expect(EmailAddress.parse(given)).toBe(normalised);
});

test("an address that is normalised stays as it is", () => {
  const once = EmailAddress.parse(" Ada@BÜCHER.example");
  expect(EmailAddress.parse(once)).toBe(once);
});

test.each([
  ["that only looks like another one", "jo\u212A@portico.example"],
  ["in another script", "адa@portico.example"],
  ["with a line break", "ada@portico.example\nbcc: eve@portico.example"],
  ["with a line break in front of the @", "ada\r\n@portico.example"],
  ["with a control character", "ada@portico.example\0"],
  ["with two @", "ada@portico@example.com"],
  ["in quotes", '"ada lovelace"@portico.example'],
  ["with an empty atom", "ada..b@portico.example"],
  ["of a host without a domain", "ada@localhost"],
  ["of a number", "ada@192.0.2.1"],
  ["of a number in disguise", "ada@0xc0.0x2.0x1"],
  ["with a dot at the end", "ada@portico.example."],
  ["with a label that DNS does not have", "ada@-portico.example"],
  ["with a mailbox too long", `${"a".repeat(65)}@portico.example`],
  ["too long", `ada@${"a.".repeat(130)}example`],
])("an address %s is refused: %j", (_, given) => {
  expect(EmailAddress.safeParse(given).success).toBe(false);
});
