/**
 * The most used passwords, from what was leaked elsewhere. Read when the first password is chosen, and
 * kept as one text: as a list they would take twenty times the memory, and a search takes 0.1 ms.
 */
import { createRequire } from "node:module";
import { shortestPassword } from "./password-length.ts";

const require = createRequire(import.meta.url);

/** Only the passwords: the package's front door also loads words and keyboards, which say nothing here. */
const listPath = "@zxcvbn-ts/language-common/dist/passwords.json.cjs";

let known: string | undefined;

/** @param password normalised and lower-case */
export function isCommonPassword(password: string): boolean {
  known ??= readList();
  return known.includes(`\n${password}\n`);
}

function readList(): string {
  const file = require.resolve(listPath);
  const passwords = require(file) as readonly string[];
  // Nobody else needs the list, and a module is kept for ever.
  delete require.cache[file];
  const lines = passwords.filter((password) => password.length >= shortestPassword);
  return Buffer.from(`\n${lines.join("\n")}\n`).toString();
}
