/**
 * As much of protobuf's wire format as the few messages of `messages.ts` need. The library that Envoy's
 * own definitions are usually read with costs this process 12 MiB.
 */
const VARINT = 0;
const FIXED_64 = 1;
const BYTES = 2;
const FIXED_32 = 5;

/** Fields that are strings, bytes or messages, by their number and in their order; the others are passed over. */
export function readFields(bytes: Buffer): readonly (readonly [number, Buffer])[] {
  const fields: [number, Buffer][] = [];
  let at = 0;

  function varint(): number {
    let value = 0;
    for (let factor = 1; factor < 2 ** 70; factor *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) {
        throw new Error("The message ends within a number");
      }
      value += (byte & 127) * factor;
      if (byte < 128) {
        return value;
      }
    }
    throw new Error("A number of the message is longer than ten bytes");
  }

  function skip(count: number): number {
    const start = at;
    at += count;
    if (at > bytes.length) {
      throw new Error("The message ends within a field");
    }
    return start;
  }

  while (at < bytes.length) {
    const tag = varint();
    switch (tag % 8) {
      case VARINT:
        varint();
        break;
      case FIXED_64:
        skip(8);
        break;
      case FIXED_32:
        skip(4);
        break;
      case BYTES: {
        const length = varint();
        fields.push([Math.floor(tag / 8), bytes.subarray(skip(length), at)]);
        break;
      }
      default:
        throw new Error(`The message has a field of the unknown wire type ${tag % 8}`);
    }
  }
  return fields;
}

export function numberField(field: number, value: number): Buffer {
  return Buffer.from([...varintOf(field * 8 + VARINT), ...varintOf(value)]);
}

export function bytesField(field: number, value: string | Buffer): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  return Buffer.concat([
    Buffer.from([...varintOf(field * 8 + BYTES), ...varintOf(bytes.length)]),
    bytes,
  ]);
}

function varintOf(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) + 128);
  }
  return [...bytes, rest];
}
