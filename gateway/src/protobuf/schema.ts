/**
 * Messages as `.proto` files declare them, reduced to what an encoder needs: a line for each field, with its
 * number, its name and its type. `Type[]` is repeated, `map<Type>` has strings for keys, and `{A=0 B=1}`
 * is an enumeration.
 */
export type Schema = ReadonlyMap<string, Message>;

export interface Message {
  readonly name: string;
  readonly fields: ReadonlyMap<string, Field>;
}

export interface Field {
  readonly number: number;
  readonly type: string;
  readonly isRepeated: boolean;
  readonly isMap: boolean;
  /** Of an enumeration. */
  readonly values?: ReadonlyMap<string, number>;
}

/** Packages with their messages; a type without a package is of the same one. */
export type Declarations = Readonly<Record<string, Readonly<Record<string, string>>>>;

export function readSchema(declarations: Declarations): Schema {
  const schema = new Map<string, Message>();
  for (const [pack, messages] of Object.entries(declarations)) {
    for (const [name, text] of Object.entries(messages)) {
      const lines = text
        .split("\n")
        .map((line) => line.trim())
        .filter(Boolean);
      const fields = new Map(lines.map((line) => readField(line, pack)));
      schema.set(`${pack}.${name}`, { name: `${pack}.${name}`, fields });
    }
  }
  return schema;
}

const SCALARS: ReadonlySet<string> = new Set(["string", "bool", "uint32", "int64", "double"]);

function readField(line: string, pack: string): [string, Field] {
  const [, number, name = "", written = ""] = /^(\d+) (\w+) (.+)$/.exec(line) ?? [];
  if (number === undefined) {
    throw new Error(`"${line}" is not a field`);
  }
  const isMap = written.startsWith("map<");
  const isRepeated = written.endsWith("[]");
  const bare = written.replace(/^map<(.+)>$/, "$1").replace(/\[\]$/, "");
  const isEnumeration = bare.startsWith("{");
  const isComplete = SCALARS.has(bare) || /^[a-z]/.test(bare);
  const type = isComplete ? bare : `${pack}.${bare}`;
  return [
    name,
    {
      ...{ number: Number(number), isRepeated, isMap },
      ...(isEnumeration ? { type: "enum", values: valuesOf(bare) } : { type }),
    },
  ];
}

function valuesOf(enumeration: string): ReadonlyMap<string, number> {
  return new Map(
    [...enumeration.matchAll(/(\w+)=(\d+)/g)].map(([, name = "", number]) => [
      name,
      Number(number),
    ]),
  );
}
