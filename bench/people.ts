/** Accounts in numbers, written past the service as it writes them itself, and what they can do. */
import { randomUUID } from "node:crypto";
import { createBrowser, type Platform, type ReadyUser } from "@portico/dev-env";
import mongoose from "mongoose";
import * as openid from "openid-client";

export type Person = Pick<ReadyUser, "email" | "password">;

/** Numbered, so that ten addresses begin as `addressPrefixOf` says, however many there are. */
export const addressOf = (number: number): string =>
  `person-${String(number).padStart(7, "0")}@portico.example`;

export const addressPrefixOf = (tens: number): string => `person-${String(tens).padStart(6, "0")}`;

/** Of auth. */
export async function withDatabase<T>(
  platform: Platform,
  use: (database: mongoose.mongo.Db) => Promise<T>,
): Promise<T> {
  const client = new mongoose.mongo.MongoClient(platform.ready.stores.mongodb);
  try {
    return await use(client.db("auth"));
  } finally {
    await client.close();
  }
}

export function verifiedUser({ ready }: Platform): ReadyUser {
  const user = ready.users.find(({ kind }) => kind === "verified");
  if (!user) throw new Error("There is no verified user.");
  return user;
}

/** Accounts like that of the verified user, who share its password. */
export async function addPeople(platform: Platform, count: number): Promise<Person[]> {
  const like = verifiedUser(platform);
  const batch = randomUUID().slice(0, 8);
  const emails = Array.from(
    { length: count },
    (_, index) => `bench-${batch}-${index}@portico.example`,
  );
  await withDatabase(platform, async (database) => {
    const accounts = database.collection<{ _id: string }>("accounts");
    const account = await accounts.findOne({ email: like.email });
    if (!account) throw new Error("The verified user has no account.");
    await accounts.insertMany(emails.map((email) => ({ ...account, _id: randomUUID(), email })));
  });
  return emails.map((email) => ({ email, password: like.password }));
}

const client = "demo";
const redirectUri = "http://127.0.0.1:49152/callback";

/** Code + PKCE, as a browser app does it: the first refresh token of a family. */
export async function signInWithBrowser({ ready }: Platform, person: Person): Promise<string> {
  const configuration = await openid.discovery(
    new URL(`${ready.gateway}/auth`),
    client,
    undefined,
    openid.None(),
    { execute: [openid.allowInsecureRequests] },
  );
  const pkceCodeVerifier = openid.randomPKCECodeVerifier();
  const url = openid.buildAuthorizationUrl(configuration, {
    redirect_uri: redirectUri,
    scope: "openid email profile offline_access",
    prompt: "consent",
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
  });
  const browser = createBrowser(ready.gateway);
  const { email, password } = person;
  const callback = await browser.submit(await browser.open(url), { email, password });
  const tokens = await openid.authorizationCodeGrant(configuration, callback.url, {
    pkceCodeVerifier,
  });
  return String(tokens.refresh_token);
}

export const refreshClient = ({ ready }: Platform) => ({
  tokenUrl: `${ready.gateway}/auth/token`,
  clientId: client,
});
