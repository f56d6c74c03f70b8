/**
 * `node src/seed.ts < seed.json`: writes users and clients, as often as you like. Environment as auth's.
 * A user's password is changed only when it is another one; whoever has the address keeps the account.
 */
import { randomUUID } from "node:crypto";
import { text } from "node:stream/consumers";
import { connectMongo, createLogger, migrate } from "@portico/service-kit";
import { z } from "zod";
import { EmailAddress, freshStanding } from "./accounts/account.ts";
import { createAccountStore } from "./accounts/account-store.ts";
import { hashPassword, NewPassword, passwordMatches } from "./accounts/password.ts";
import { ClientMetadata } from "./clients/client.ts";
import { createClientStore } from "./clients/client-store.ts";
import { readAuthConfig } from "./config.ts";
import { migrations } from "./migrations.ts";
import { Role } from "./roles/role.ts";

const User = z.object({
  /** For people who read the file. */
  kind: z.string(),
  email: EmailAddress,
  password: NewPassword,
  /** Beside `member`, which everyone is. */
  roles: z.array(Role),
  emailVerified: z.boolean(),
  premiumUntil: z.iso.datetime().nullable(),
  /** Leaves an account that has the address as it is: for a first administrator, who changes the password. */
  onlyIfMissing: z.boolean().default(false),
});

const Seed = z.object({
  users: z.array(User).default([]),
  clients: z.array(ClientMetadata).default([]),
});

const config = readAuthConfig();
const seed = Seed.parse(JSON.parse(await text(process.stdin)));
const logger = createLogger("auth-seed", "error", process.stderr);
const mongo = await connectMongo(config.mongodbUri.reveal(), logger);
await migrate(mongo, migrations, logger);
const accounts = createAccountStore(mongo);
const clients = createClientStore(mongo);

async function putUser(user: z.output<typeof User>) {
  const { kind: _, password, premiumUntil, roles, onlyIfMissing, ...rest } = user;
  const known = await accounts.findCredentials(rest.email);
  if (known && onlyIfMissing) return { email: rest.email, id: known.account.id };
  const knownHash = known?.passwordHash;
  const isKnown = knownHash && (await passwordMatches(knownHash, password));
  const account = {
    ...rest,
    id: randomUUID(),
    roles: [...new Set<Role>(["member", ...roles])],
    name: known?.account.name ?? null,
    premiumUntil: premiumUntil === null ? null : new Date(premiumUntil),
    createdAt: new Date(),
    ...freshStanding,
  };
  const passwordHash = isKnown ? knownHash : await hashPassword(password);
  return { email: rest.email, id: await accounts.put(account, passwordHash) };
}

const [users] = await Promise.all([
  Promise.all(seed.users.map(putUser)),
  Promise.all(seed.clients.map(clients.save)),
]);
await mongo.close();
process.stdout.write(`${JSON.stringify({ users })}\n`);
