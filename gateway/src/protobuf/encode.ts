import type { Json } from "../envoy/envoy-config.ts";
import type { Field, Message, Schema } from "./schema.ts";
import { MessageWriter } from "./wire.ts";

/**
 * A message in its JSON form (protobuf.dev, "ProtoJSON", with field names as the `.proto` has them) as
 * bytes. Throws at a field that the schema does not have: nothing that was asked for is left out.
 */
export type Encode = (type: string, message: Json) => Uint8Array;

type Fields = { readonly [field: string]: Json | undefined };

/**
 * @param remembered types of messages that are encoded once, as long as they are the same JavaScript object
 */
export function createEncoder(schema: Schema, remembered: ReadonlySet<string>): Encode {
  const known = new WeakMap<object, Uint8Array>();

  function encode(type: string, message: Json): Uint8Array {
    const wellKnown = WELL_KNOWN[type];
    if (wellKnown) {
      return wellKnown(message);
    }
    if (type === "google.protobuf.Any") {
      return encodeAny(message as Fields);
    }
    const declared = schema.get(type);
    if (declared === undefined) {
      throw new Error(`There is no message ${type} in the schema`);
    }
    if (!remembered.has(type)) {
      return encodeFields(declared, message as Fields);
    }
    const bytes = known.get(message as object) ?? encodeFields(declared, message as Fields);
    known.set(message as object, bytes);
    return bytes;
  }

  function encodeFields({ name: type, fields }: Message, message: Fields): Uint8Array {
    const writer = new MessageWriter();
    for (const [name, value] of Object.entries(message)) {
      const field = fields.get(name);
      if (value === undefined || name === "@type") {
        continue;
      }
      if (field === undefined) {
        throw new Error(`${type} has no field ${name} in the schema`);
      }
      writeField(writer, field, value);
    }
    return writer.finish();
  }

  function writeField(writer: MessageWriter, field: Field, value: Json) {
    if (field.isMap) {
      writeMap(writer, field, value as Fields);
    } else if (field.isRepeated && field.type === "uint32") {
      writer.packed(field.number, value as readonly number[]);
    } else {
      for (const one of field.isRepeated ? (value as readonly Json[]) : [value]) {
        writeOne(writer, field, one);
      }
    }
  }

  function writeMap(writer: MessageWriter, field: Field, entries: Fields) {
    for (const [key, value] of Object.entries(entries)) {
      if (value !== undefined) {
        const entry = new MessageWriter();
        entry.string(1, key);
        writeOne(entry, { ...field, number: 2 }, value);
        writer.bytes(field.number, entry.finish());
      }
    }
  }

  /** Also what is a default: in a `oneof` it says which of them there is. */
  function writeOne(writer: MessageWriter, { number, type, values }: Field, value: Json) {
    switch (type) {
      case "string":
        return writer.string(number, value as string);
      case "bool":
      case "uint32":
      case "int64":
        return writer.varint(number, Number(value));
      case "double":
        return writer.double(number, value as number);
      case "enum":
        return writer.varint(number, numberOf(values, value));
      default:
        return writer.bytes(number, encode(type, value));
    }
  }

  /** One that the schema does not have goes as xds.type.v3.TypedStruct, which Envoy reads as if it were JSON. */
  function encodeAny(message: Fields): Uint8Array {
    const url = String(message["@type"]);
    const type = url.slice(url.lastIndexOf("/") + 1);
    const { "@type": _, ...fields } = message;
    return schema.has(type)
      ? encodeTyped(url, encode(type, message))
      : encodeTyped(TYPED_STRUCT, encodeTyped(url, encodeStruct(fields)));
  }

  return encode;
}

const TYPED_STRUCT = "type.googleapis.com/xds.type.v3.TypedStruct";

/** `Any` and `TypedStruct` alike: the URL of a type, then its message. */
export function encodeTyped(url: string, message: Uint8Array): Uint8Array {
  const writer = new MessageWriter();
  writer.string(1, url);
  writer.bytes(2, message);
  return writer.finish();
}

function numberOf(values: Field["values"], name: Json): number {
  const value = values?.get(String(name));
  if (value === undefined) {
    throw new Error(`${name} is none of ${[...(values?.keys() ?? [])].join(", ")}`);
  }
  return value;
}

const WELL_KNOWN: Readonly<Record<string, (message: Json) => Uint8Array>> = {
  "google.protobuf.Duration": encodeDuration,
  "google.protobuf.Struct": (message) => encodeStruct(message as Fields),
  "google.protobuf.BoolValue": encodeWrapped,
  "google.protobuf.UInt32Value": encodeWrapped,
};

function encodeWrapped(value: Json): Uint8Array {
  const writer = new MessageWriter();
  writer.varint(1, Number(value));
  return writer.finish();
}

/** `1.5s` */
function encodeDuration(text: Json): Uint8Array {
  const nanoseconds = Math.round(Number(String(text).replace(/s$/, "")) * 1e9);
  const writer = new MessageWriter();
  writer.varint(1, Math.floor(nanoseconds / 1e9));
  writer.varint(2, nanoseconds % 1e9);
  return writer.finish();
}

function encodeStruct(fields: Fields): Uint8Array {
  const writer = new MessageWriter();
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined) {
      const entry = new MessageWriter();
      entry.string(1, key);
      entry.bytes(2, encodeValue(value));
      writer.bytes(1, entry.finish());
    }
  }
  return writer.finish();
}

/** google.protobuf.Value */
function encodeValue(value: Json): Uint8Array {
  const writer = new MessageWriter();
  if (typeof value === "number") {
    writer.double(2, value);
  } else if (typeof value === "string") {
    writer.string(3, value);
  } else if (typeof value === "boolean") {
    writer.varint(4, Number(value));
  } else if (Array.isArray(value)) {
    const list = new MessageWriter();
    for (const one of value as readonly Json[]) {
      list.bytes(1, encodeValue(one));
    }
    writer.bytes(6, list.finish());
  } else {
    writer.bytes(5, encodeStruct(value as Fields));
  }
  return writer.finish();
}
