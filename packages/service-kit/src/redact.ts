/**
 * What may stand in a log: secrets are taken out at the source, by field name, and by shape wherever
 * one stands inside a text. Whatever is left is finite: JSON can write it.
 */

const secretName = new RegExp(
  [
    "password|passphrase|secret|credential|card[-_]?number|code[-_]?verifier",
    "(?:token|e-?mail|(?:api|private|signing|cookie)[-_]?keys?)$",
    "^(?:(?:proxy-)?authorization|(?:set-)?cookies?|jwt|code|otp|pin|pan|cvc|cvv|ssn)$",
  ].join("|"),
  "i",
);

/** Every repetition is bounded or cannot overlap its neighbour: the text may be an attacker's. */
const secretShapes: readonly (readonly [shape: RegExp, instead: string])[] = [
  [/\b(?:Bearer|Basic)\s+[\w+/=.~-]+/gi, "[redacted]"],
  [/\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)*/g, "[redacted]"],
  // Up to the last @: a password that was not percent-encoded may hold one, or a slash.
  [/\b(mongodb(?:\+srv)?|rediss?|smtps?):\/\/\S{0,300}@/gi, "$1://[redacted]@"],
  [/\b([a-z][a-z\d+.-]{0,15}):\/\/[^\s/@:]*:[^\s/@]*@/gi, "$1://[redacted]@"],
  // Mail servers quote the address that they refuse.
  [/[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}/g, "[redacted]"],
  // MongoDB quotes the value that a unique index refused.
  [/\bdup key: \{.{0,2000}\}/g, "dup key: [redacted]"],
];

/** Told by one look: most texts hold none. */
const mayHoldSecret = /:\/\/|@|bearer|basic|eyJ|dup key/i;

const longestRead = 16_384;
const longestText = 4_096;

function redactText(whole: string): string {
  if (whole.length < longestText && !mayHoldSecret.test(whole)) return whole;
  let text = whole.slice(0, longestRead);
  for (const [shape, instead] of secretShapes) text = text.replace(shape, instead);
  return text.length < longestText && whole.length < longestRead
    ? text
    : `${text.slice(0, longestText)}… [cut]`;
}

const deepest = 6;
const mostItems = 100;

/** A copy fit for the log: secrets gone, errors spelled out, nothing deeper than six levels. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return redactText(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth > deepest) return "[deep]";
  if (value instanceof Error) return describeError(value, depth);
  if (Array.isArray(value)) {
    return value.slice(0, mostItems).map((item) => redact(item, depth + 1));
  }
  if (hasToJson(value)) return redact(value.toJSON(), depth + 1);
  return redactFields(value, depth);
}

const redactFields = (value: object, depth: number): Record<string, unknown> => {
  const fields: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) {
    fields[name] = secretName.test(name) ? "[redacted]" : redact(field, depth + 1);
  }
  return fields;
};

const hasToJson = (value: object): value is { toJSON(): unknown } =>
  "toJSON" in value && typeof value.toJSON === "function";

/** `code` is the system's or the store's (ECONNREFUSED, 11000): not the `code` that OAuth means. */
function describeError(error: Error, depth: number): Record<string, unknown> {
  const { code, errors } = error as { code?: unknown; errors?: unknown };
  return {
    type: error.name,
    ...(code !== undefined && { code: redact(code, depth + 1) }),
    message: redactText(error.message),
    stack: redactText(error.stack ?? ""),
    ...(Array.isArray(errors) && { errors: redact(errors, depth + 1) }),
    ...(error.cause !== undefined && { cause: redact(error.cause, depth + 1) }),
  };
}
