/** What is asked of a platform with few people and of one with many, each answer as long as the other's. */
import { equal } from "node:assert/strict";
import { randomInt } from "node:crypto";
import type { Platform, ReadyUser } from "@portico/dev-env";
import type { Contender } from "../load/in-turn.ts";
import { bearer, json, sendForJson } from "../load/send.ts";
import { type Step, stepwise } from "../load/steps.ts";
import { addressOf, addressPrefixOf, type Person } from "../people.ts";
import type { Size } from "./fill.ts";

export interface Population extends Size {
  /** In the table. */
  name: string;
  platform: Platform;
  password: string;
}

export interface Question {
  name: string;
  ask(population: Population): Contender;
}

/** Of few: what is looked at is how long one answer takes. */
export const connections = 16;
const perPage = 50;
/** Shorter than an access token lives. */
const tokenKeptMs = 300_000;

export const questions: readonly Question[] = [
  {
    name: "list accounts, page after page",
    ask: (of) => {
      const asAdministrator = tokenOf(of.platform, administrator(of.platform));
      return contender("list", of, () => walkPages(of, asAdministrator));
    },
  },
  {
    name: "search accounts by prefix",
    ask: (of) => {
      const asAdministrator = tokenOf(of.platform, administrator(of.platform));
      return contender("search", of, () => () => search(of, asAdministrator));
    },
  },
  { name: "sign in", ask: (of) => contender("sign in", of, () => () => signIn(of, anybody(of))) },
  {
    name: "list one's sessions",
    ask: (of) => contender("sessions", of, () => listSessions(of)),
  },
];

const contender = (name: string, of: Population, stepOf: () => Step): Contender =>
  stepwise(`${name}, ${of.name}`, Array.from({ length: connections }, stepOf));

interface Page {
  items: { email: string }[];
  nextCursor: string | null;
}

function walkPages(of: Population, token: () => Promise<string>): Step {
  let after = "";
  return async () => {
    const page = await users(of, await token(), `limit=${perPage}${after && `&after=${after}`}`);
    after = page.nextCursor ?? "";
    if (after) equal(page.items.length, perPage);
  };
}

/** Ten people have addresses that begin so, however many there are. */
async function search(of: Population, token: () => Promise<string>): Promise<void> {
  const prefix = addressPrefixOf(randomInt(of.accounts / 10));
  const { items } = await users(of, await token(), `prefix=${prefix}`);
  equal(items.length, 10);
}

const users = ({ platform }: Population, token: string, query: string): Promise<Page> =>
  sendForJson({ url: `${platform.ready.gateway}/auth/users?${query}`, headers: bearer(token) });

const anybody = (of: Population): Person => ({
  email: addressOf(randomInt(of.accounts)),
  password: of.password,
});

const signIn = ({ platform }: Population, { email, password }: Person) =>
  sendForJson<{ accessToken: string }>({
    ...json({ email, password }),
    url: `${platform.ready.gateway}/auth/sign-in`,
  });

/** Of somebody who has one beside the one that this takes. */
function listSessions(of: Population): Step {
  const person = { email: addressOf(1 + randomInt(of.sessions - 1)), password: of.password };
  const token = tokenOf(of.platform, person);
  return async () => {
    const { items } = await sendForJson<{ items: unknown[] }>({
      url: `${of.platform.ready.gateway}/auth/sessions`,
      headers: bearer(await token()),
    });
    if (items.length < 2) throw new Error("a session is missing");
  };
}

function administrator({ ready }: Platform): ReadyUser {
  const user = ready.users.find(({ kind }) => kind === "administrator");
  if (!user) throw new Error("There is no administrator.");
  return user;
}

/** Signs in again before the token ends; all who wait for it wait for the same one. */
function tokenOf(platform: Platform, person: Person): () => Promise<string> {
  let kept: { token: Promise<string>; until: number } | undefined;
  const renew = async () => {
    const { accessToken } = await signIn({ platform } as Population, person);
    return accessToken;
  };
  return () => {
    if (!kept || Date.now() > kept.until)
      kept = { token: renew(), until: Date.now() + tokenKeptMs };
    return kept.token;
  };
}
