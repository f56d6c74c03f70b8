/**
 * Accounts and sessions in numbers, as the service itself writes them: each is a copy of one that came
 * about through the API, with ids of its own. So whatever a document has, those here have.
 */
import { randomBytes, randomInt, randomUUID } from "node:crypto";
import type { Platform } from "@portico/dev-env";
import type mongoose from "mongoose";
import type { Bench } from "../comparison.ts";
import {
  addressOf,
  type Person,
  signInWithBrowser,
  verifiedUser,
  withDatabase,
} from "../people.ts";

export interface Size {
  accounts: number;
  sessions: number;
}

type Document = { _id: string; [field: string]: unknown };
type Database = mongoose.mongo.Db;

const batchSize = 5_000;

/** What one sign-in leaves, and by which field it names whose it is. */
const ofSignIn = {
  sessions: "payload.accountId",
  grants: "payload.accountId",
  refreshTokenFamilies: "accountId",
};

export async function fill(platform: Platform, size: Size, progress: Bench["progress"]) {
  const { password } = verifiedUser(platform);
  await withDatabase(platform, async (database) => {
    const ids = await insertAccounts(platform, database, size.accounts, progress);
    const owner: Person = { email: addressOf(0), password };
    await signInWithBrowser(platform, owner);
    await insertSessions(database, ids.slice(0, size.sessions), progress);
  });
  return password;
}

/** Answers their ids, by their numbers. They come in no order of their addresses, as people do. */
async function insertAccounts(
  platform: Platform,
  database: Database,
  count: number,
  progress: Bench["progress"],
): Promise<string[]> {
  const accounts = database.collection<Document>("accounts");
  const like = await accounts.findOne({ email: verifiedUser(platform).email });
  if (!like) throw new Error("The verified user has no account.");
  const numbers = shuffled(count);
  // In order, which is quicker to write; no address has to do with an id.
  const ids = numbers.map(() => randomUUID()).sort();
  await inBatches(`${count} accounts`, count, progress, (from, to) =>
    accounts.insertMany(
      numbers.slice(from, to).map((number, index) => ({
        ...like,
        _id: ids[from + index] as string,
        email: addressOf(number),
      })),
      bulk,
    ),
  );
  const byNumber: string[] = [];
  for (const [index, number] of numbers.entries()) byNumber[number] = ids[index] as string;
  return byNumber;
}

/** 0 to `count` - 1 (Fisher and Yates). */
function shuffled(count: number): number[] {
  const numbers = Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = randomInt(last + 1);
    [numbers[last], numbers[other]] = [numbers[other] as number, numbers[last] as number];
  }
  return numbers;
}

/** One for each account but the first, whose own is the model. */
async function insertSessions(
  database: Database,
  [model = "", ...accountIds]: string[],
  progress: Bench["progress"],
): Promise<void> {
  const models: [mongoose.mongo.Collection<Document>, Document][] = [];
  for (const [name, field] of Object.entries(ofSignIn)) {
    const collection = database.collection<Document>(name);
    const found = await collection.find({ [field]: model }).toArray();
    if (found.length === 0) throw new Error(`A sign-in left nothing in ${name}.`);
    models.push(...found.map((document): [typeof collection, Document] => [collection, document]));
  }
  const count = accountIds.length;
  await inBatches(`${count} sessions`, count, progress, async (from, to) => {
    const renames = accountIds.slice(from, to).map((id) => rename(new Map([[model, id]])));
    for (const [collection, document] of models) {
      await collection.insertMany(
        renames.map((renamed) => renamed(document) as Document),
        bulk,
      );
    }
  });
}

/** Nothing of it has to survive: what it is measured with does. */
const bulk = { ordered: false, writeConcern: { w: 1, j: false } };

async function inBatches(
  what: string,
  count: number,
  progress: Bench["progress"],
  insert: (from: number, to: number) => Promise<unknown>,
): Promise<void> {
  const step = progress.step(what);
  let done = 0;
  step.detail(() => `${done} of ${count}`);
  while (done < count) {
    const to = Math.min(done + batchSize, count);
    await insert(done, to);
    done = to;
  }
  step.done();
}

/** By these names documents refer to one another; clients are not copied. */
const isId = (field: string) => /^(_id|uid|sid|jti|accountId|grantId|sessionUid)$/.test(field);

/** A copy in which every id is another one, the same for the same everywhere. */
function rename(names: Map<string, string>) {
  const another = (id: string): string => {
    const known = names.get(id) ?? randomBytes(id.length).toString("base64url").slice(0, id.length);
    names.set(id, known);
    return known;
  };
  const copy = (value: unknown, field = ""): unknown => {
    if (typeof value === "string") return isId(field) ? another(value) : value;
    if (Array.isArray(value)) return value.map((one) => copy(one));
    if (value === null || typeof value !== "object" || value instanceof Date) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copy(inner, key)]));
  };
  return copy;
}
