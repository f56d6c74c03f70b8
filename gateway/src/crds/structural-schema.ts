import { z } from "zod";

/**
 * A zod schema as Kubernetes wants it ("structural"): every field typed, no `additionalProperties`
 * beside `properties` (unknown fields are for the API server to refuse or prune), no `const`.
 */
type Schema = { readonly [keyword: string]: unknown };

export function structural(schema: z.ZodType): Schema {
  return rewritten(z.toJSONSchema(schema, { io: "input", target: "openapi-3.0" }) as Schema);
}

const DROPPED = new Set(["additionalProperties", "$schema", "anyOf"]);

function rewritten(schema: Schema): Schema {
  if (schema.anyOf !== undefined) {
    // A value of several scalar types: which they may be is for the controller to say.
    return { "x-kubernetes-preserve-unknown-fields": true };
  }
  const entries = Object.entries(schema).filter(([keyword]) => !DROPPED.has(keyword));
  return Object.fromEntries(
    entries.map(([keyword, value]): [string, unknown] => {
      if (keyword === "properties") {
        const properties = Object.entries(value as Record<string, Schema>);
        return [
          keyword,
          Object.fromEntries(properties.map(([name, one]) => [name, rewritten(one)])),
        ];
      }
      return keyword === "items" ? [keyword, rewritten(value as Schema)] : [keyword, value];
    }),
  );
}
