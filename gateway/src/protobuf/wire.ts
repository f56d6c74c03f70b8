/** The bytes of Protocol Buffers: a tag for each field, then its value (protobuf.dev, "Encoding"). */

const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;

/** Collects the fields of one message. */
export class MessageWriter {
  readonly #parts: Uint8Array[] = [];
  #small: number[] = [];
  #length = 0;

  /** A number, an enumeration or a boolean. */
  varint(field: number, value: number): void {
    this.#tag(field, VARINT);
    this.#pushVarint(value);
  }

  double(field: number, value: number): void {
    this.#tag(field, FIXED64);
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    this.#push(bytes);
  }

  string(field: number, value: string): void {
    this.bytes(field, Buffer.from(value));
  }

  /** A message inside of this one, too. */
  bytes(field: number, value: Uint8Array): void {
    this.#tag(field, LENGTH_DELIMITED);
    this.#pushVarint(value.length);
    this.#push(value);
  }

  packed(field: number, values: readonly number[]): void {
    const inner = new MessageWriter();
    for (const value of values) {
      inner.#pushVarint(value);
    }
    this.bytes(field, inner.finish());
  }

  finish(): Buffer {
    this.#flush();
    return Buffer.concat(this.#parts, this.#length);
  }

  #tag(field: number, wireType: number) {
    this.#pushVarint(field * 8 + wireType);
  }

  #pushVarint(value: number) {
    let rest = value;
    while (rest > 127) {
      this.#small.push((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    this.#small.push(rest);
  }

  #push(bytes: Uint8Array) {
    this.#flush();
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }

  #flush() {
    if (this.#small.length > 0) {
      this.#parts.push(Uint8Array.from(this.#small));
      this.#length += this.#small.length;
      this.#small = [];
    }
  }
}
