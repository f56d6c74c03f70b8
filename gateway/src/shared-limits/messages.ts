import { bytesField, numberField, readFields } from "./protobuf.ts";

/**
 * The messages of `envoy.service.ratelimit.v3`, reduced to the fields that are used here. Names and
 * numbers are those of Envoy's `rls.proto`, `ratelimit.proto`, `base.proto` and protobuf's `struct.proto`.
 */
export const SHOULD_RATE_LIMIT = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit";

/** RateLimitRequest */
export interface Question {
  readonly domain: string;
  readonly descriptors: readonly Descriptor[];
}

/** RateLimitDescriptor: what is counted, as pairs of words. */
export type Descriptor = readonly { readonly key: string; readonly value: string }[];

/** RateLimitResponse */
export interface Answer {
  readonly isOverLimit: boolean;
  /** For the client. */
  readonly responseHeaders: Headers;
  /** For the service and the access log. */
  readonly requestHeaders: Headers;
  /** For the access log. */
  readonly metadata: Headers;
}

type Headers = Readonly<Record<string, string>>;

const REQUEST = { domain: 1, descriptors: 2 } as const;
const DESCRIPTOR = { entries: 1 } as const;
const PAIR = { key: 1, value: 2 } as const;
const RESPONSE = { code: 1, responseHeaders: 3, requestHeaders: 4, metadata: 6 } as const;
const STRUCT = { fields: 1 } as const;
const VALUE = { string: 3 } as const;
const CODES = { ok: 1, overLimit: 2 } as const;

/** Throws when the bytes are not a message. */
export function readQuestion(bytes: Buffer): Question {
  const fields = readFields(bytes);
  return {
    domain: textIn(fields, REQUEST.domain),
    descriptors: valuesIn(fields, REQUEST.descriptors).map(descriptorOf),
  };
}

function descriptorOf(bytes: Buffer): Descriptor {
  return valuesIn(readFields(bytes), DESCRIPTOR.entries).map((entry) => {
    const fields = readFields(entry);
    return { key: textIn(fields, PAIR.key), value: textIn(fields, PAIR.value) };
  });
}

type Fields = ReturnType<typeof readFields>;

function valuesIn(fields: Fields, wanted: number): Buffer[] {
  return fields.filter(([field]) => field === wanted).map(([, value]) => value);
}

function textIn(fields: Fields, wanted: number): string {
  return valuesIn(fields, wanted).at(-1)?.toString() ?? "";
}

export function writeAnswer(answer: Answer): Buffer {
  const { code, responseHeaders, requestHeaders, metadata } = RESPONSE;
  return Buffer.concat([
    numberField(code, answer.isOverLimit ? CODES.overLimit : CODES.ok),
    ...pairs(answer.responseHeaders, (pair) => bytesField(responseHeaders, pair)),
    ...pairs(answer.requestHeaders, (pair) => bytesField(requestHeaders, pair)),
    ...struct(answer.metadata, (bytes) => bytesField(metadata, bytes)),
  ]);
}

function pairs(headers: Headers, asField: (pair: Buffer) => Buffer): Buffer[] {
  return Object.entries(headers).map(([key, value]) => asField(pairOf(key, value)));
}

function pairOf(key: string, value: string | Buffer): Buffer {
  return Buffer.concat([bytesField(PAIR.key, key), bytesField(PAIR.value, value)]);
}

function struct(values: Headers, asField: (bytes: Buffer) => Buffer): Buffer[] {
  const fields = Object.entries(values).map(([key, value]) =>
    bytesField(STRUCT.fields, pairOf(key, bytesField(VALUE.string, value))),
  );
  return fields.length === 0 ? [] : [asField(Buffer.concat(fields))];
}
