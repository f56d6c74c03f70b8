/** Passwords that anybody would try first on this platform or on this person: NIST's context-specific words. */

/** The platform's name, and what people choose who are made to choose anew every few months. */
const expectedWords = [
  ...["portico", "password", "passwort", "welcome", "changeme", "admin", "letmein", "secret"],
  ...["spring", "summer", "autumn", "fall", "winter"],
  ...["january", "february", "march", "april", "may", "june", "july"],
  ...["august", "september", "october", "november", "december"],
  ...["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
];

/** Shorter pieces of a name are in too many good passwords. */
const shortestWord = 3;
/** With more than that beside the words it is no longer the words that have to be guessed. */
const mostElse = 6;

/** What usually stands for a letter, so that it is not hidden by it. */
const disguises: Record<string, string> = {
  a: "4@",
  e: "3",
  i: "1!",
  l: "1",
  o: "0",
  s: "5$",
  t: "7",
};

/** @param password normalised and lower-case */
export function isMadeOfExpectedWords(password: string): boolean {
  return isMadeOf(password, expectedWords);
}

/** Whether little but the person's own address and name is in it. */
export function isPersonal(
  password: string,
  person: { email: string; name: string | null },
): boolean {
  const mailbox = person.email.split("@")[0] ?? "";
  const pieces = `${person.email} ${person.name ?? ""}`.toLowerCase().split(/[^\p{L}]+/u);
  const words = [mailbox, ...pieces].filter((word) => word.length >= shortestWord);
  return isMadeOf(password, [...expectedWords, ...words]);
}

/**
 * Place by place, each reached with as little else as can be: a regular expression over somebody's own
 * words could take for ever.
 */
function isMadeOf(password: string, words: readonly string[]): boolean {
  const elseUntil = new Map([[0, 0]]);
  const reach = (at: number, cost: number) => {
    if (cost < (elseUntil.get(at) ?? mostElse + 1)) elseUntil.set(at, cost);
  };
  for (let at = 0; at < password.length; at += 1) {
    const cost = elseUntil.get(at);
    if (cost === undefined) continue;
    if (!/\p{L}/u.test(password.charAt(at))) reach(at + 1, cost + 1);
    for (const word of words) if (standsAt(password, at, word)) reach(at + word.length, cost);
  }
  return elseUntil.has(password.length);
}

const standsAt = (password: string, at: number, word: string): boolean =>
  [...word].every((letter, index) => {
    const given = password.charAt(at + index);
    return given === letter || (given !== "" && disguises[letter]?.includes(given) === true);
  });
