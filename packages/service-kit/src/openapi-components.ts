/** Named schemas of an OpenAPI document, collected while references to them are written. */
import { z } from "zod";

type JsonObject = { [key: string]: unknown };
type Direction = "input" | "output";

export type Components = {
  /** All that was collected, sorted by name. */
  schemas(): JsonObject;
  /** The JSON Schema of `type`; what carries a `meta({ id })` is collected and referred to. */
  use(type: z.ZodType, direction: Direction): unknown;
};

export function createComponents(): Components {
  const schemas: JsonObject = {};
  /** The form in which each name was first met. */
  const firstForms = new Map<string, string>();

  /** Each definition's place: its name, or its name and direction where the name has another form. */
  const placesOf = (definitions: JsonObject, direction: Direction): Record<string, string> => {
    const forms = Object.entries(definitions).map(
      ([name, schema]) => [name, JSON.stringify(schema)] as const,
    );
    for (const [name, form] of forms) if (!firstForms.has(name)) firstForms.set(name, form);
    const other = new Set(
      forms.filter(([name, form]) => firstForms.get(name) !== form).map(([name]) => name),
    );
    addReferring(other, forms);
    const suffix = direction === "input" ? "Input" : "Output";
    return Object.fromEntries(
      forms.map(([name]) => [name, other.has(name) ? `${name}${suffix}` : name]),
    );
  };

  return {
    schemas: () => Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1))),

    use(type, direction) {
      const { $schema, $defs, ...schema } = z.toJSONSchema(type, {
        io: direction,
        unrepresentable: "any",
      });
      const { id, ...root } = schema as JsonObject;
      const definitions = { ...$defs, ...(id ? { [String(id)]: schema } : {}) } as JsonObject;
      const places = placesOf(definitions, direction);
      for (const [name, definition] of Object.entries(definitions)) {
        const { id: _, ...rest } = definition as JsonObject;
        schemas[places[name] ?? name] = withReferences(rest, places);
      }
      return id ? referenceTo(places[String(id)]) : withReferences(root, places);
    },
  };
}

/** A schema that refers to one of another form is of another form itself. */
function addReferring(other: Set<string>, forms: (readonly [name: string, form: string])[]): void {
  for (let before = -1; before !== other.size; ) {
    before = other.size;
    for (const [name, form] of forms) {
      if ([...other].some((referred) => form.includes(`"#/$defs/${referred}"`))) other.add(name);
    }
  }
}

const referenceTo = (place: string | undefined) => ({ $ref: `#/components/schemas/${place}` });

/** zod refers to `#/$defs/Name`; a document, to `#/components/schemas/Place`. */
const withReferences = (schema: JsonObject, places: Record<string, string>): JsonObject =>
  JSON.parse(JSON.stringify(schema), (key, item) => {
    const name = key === "$ref" ? String(item).replace("#/$defs/", "") : undefined;
    return name && places[name] ? referenceTo(places[name]).$ref : item;
  });
