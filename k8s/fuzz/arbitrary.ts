import fc from "fast-check";

/** What is used of a JSON schema, as a CRD has it or zod makes it. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly pattern?: string;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly "x-kubernetes-int-or-string"?: boolean;
}

/** Values that mean something, by the name of the field: names of objects that are there, hosts, paths. */
export type Words = Readonly<Record<string, readonly unknown[]>>;

/**
 * Values of a schema: mostly of the right shape and with names that lead somewhere, so that they get as far as they can,
 * with odd values in them; and a few that break the schema, for the API server or the controller to refuse.
 */
export function arbitraryOf(schema: Schema, words: Words, field = ""): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 150, arbitrary: shaped(schema, words, field) },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
}

function shaped(schema: Schema, words: Words, field: string): fc.Arbitrary<unknown> {
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.anyOf && schema.type === undefined) {
    return fc.oneof(...schema.anyOf.map((one) => arbitraryOf(one, words, field)));
  }
  switch (typeof schema.type === "string" ? schema.type : schema.type?.[0]) {
    case "object":
      return known(words, field, objectOf(schema, words));
    case "array":
      return listOf(schema, words, field);
    case "string":
      return known(words, field, textOf(schema));
    case "integer":
    case "number":
      return known(words, field, numberOf(schema));
    case "boolean":
      return fc.boolean();
    default:
      return schema["x-kubernetes-int-or-string"]
        ? fc.oneof(fc.integer(), ODD_TEXT)
        : fc.jsonValue({ maxDepth: 2 });
  }
}

/** Of every three values of such a field two lead somewhere. */
function known(words: Words, field: string, other: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const values = words[field];
  if (values === undefined) return other;
  return fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(...values) },
    { weight: 1, arbitrary: other },
  );
}

const ODD_TEXT = fc.oneof(
  fc.constantFrom("", " ", "*", "/", "..", "%2f", "(", "a{1,99999}", "\u0000", "\r\n", "ä", "💥"),
  fc.string({ unit: "binary", maxLength: 40 }),
);

function textOf({ pattern, maxLength = 300 }: Schema): fc.Arbitrary<string> {
  const odd = ODD_TEXT.map((text) => text.slice(0, maxLength));
  if (pattern === undefined) return odd;
  return fc.oneof(
    { weight: 9, arbitrary: fc.stringMatching(new RegExp(pattern), { size: "small" }) },
    { weight: 1, arbitrary: odd },
  );
}

function numberOf({ minimum = -1, maximum = 70_000 }: Schema): fc.Arbitrary<number> {
  const within = fc.integer({ min: Math.ceil(minimum), max: Math.floor(maximum) });
  return fc.oneof({ weight: 20, arbitrary: within }, { weight: 1, arbitrary: fc.integer() });
}

function listOf(schema: Schema, words: Words, field: string): fc.Arbitrary<unknown> {
  const { items = {}, minItems = 0, maxItems = 3 } = schema;
  const sizes = { minLength: minItems, maxLength: Math.max(minItems, Math.min(maxItems, 3)) };
  return fc.array(arbitraryOf(items, words, field), sizes);
}

function objectOf(schema: Schema, words: Words): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties } = schema;
  if (typeof additionalProperties === "object") {
    const keys = known(words, "name", ODD_TEXT).map(String);
    return fc.dictionary(keys, arbitraryOf(additionalProperties, words, "value"), { maxKeys: 2 });
  }
  const fields = Object.entries(properties).map(([name, one]) => {
    const present = arbitraryOf(one, words, name);
    const isOften =
      required.includes(name) || membersOf(schema).includes(name) || TELLING.has(name);
    const absent = fc.constant(undefined);
    const often = { weight: isOften ? 60 : 1, arbitrary: present };
    return [name, fc.oneof(often, { weight: isOften ? 1 : 2, arbitrary: absent })] as const;
  });
  return fc
    .record(Object.fromEntries(fields))
    .map((value) =>
      Object.fromEntries(
        Object.entries(value).filter(
          ([name, one]) => one !== undefined && isMeant(schema, value, name),
        ),
      ),
    );
}

/** Not required, but without them an object has little to say. */
const TELLING = new Set([
  "parentRefs",
  "rules",
  "matches",
  "backendRefs",
  "issuer",
  "audiences",
  "jwks",
]);

/** `type: RequestMirror` beside `requestMirror`: of these fields an object has the one that its type names. */
function membersOf({ properties = {} }: Schema): string[] {
  const types = (properties.type?.enum ?? []).map((type) => String(type).toLowerCase());
  return Object.keys(properties).filter((name) => types.includes(name.toLowerCase()));
}

function isMeant(schema: Schema, value: Readonly<Record<string, unknown>>, name: string): boolean {
  return (
    !membersOf(schema).includes(name) || String(value.type).toLowerCase() === name.toLowerCase()
  );
}
