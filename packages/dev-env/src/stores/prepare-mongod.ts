import { setTimeout as sleep } from "node:timers/promises";
import mongoose from "mongoose";
import { Failure } from "../failure.ts";
import {
  ADMINISTRATOR,
  administratorUri,
  type DatabaseUser,
  type Preparable,
  REPLICA_SET,
} from "./mongod.ts";

const { MongoClient, MongoServerError } = mongoose.mongo;
type Client = InstanceType<typeof MongoClient>;

const AUTHENTICATION_FAILED = 18;
const UNAUTHORIZED = 13;
const NOT_WRITABLE_PRIMARY = 10107;
const NOT_PRIMARY_OR_SECONDARY = 13436;
const electing = [NOT_WRITABLE_PRIMARY, NOT_PRIMARY_OR_SECONDARY];
const PRIMARY_WITHIN_MS = 20_000;

/** Brings a mongod that accepts connections to the state services need. Doing it again changes nothing. */
export async function prepareMongod(mongod: Preparable, users: DatabaseUser[]): Promise<void> {
  await initiateReplicaSet(mongod);
  await ensureAdministrator(mongod);
  await withClient(administratorUri(mongod, { direct: true }), async (client) => {
    await followAddress(client, mongod);
    await Promise.all(users.map((user) => whenPrimary(() => ensureUser(client, user))));
  });
}

async function initiateReplicaSet(mongod: Preparable): Promise<void> {
  await withClient(loopbackUri(mongod), async (client) => {
    const { setName } = await client.db("admin").command({ hello: 1 });
    if (setName) return;
    const configuration = { _id: REPLICA_SET, members: [member(mongod)] };
    await client
      .db("admin")
      .command({ replSetInitiate: configuration })
      // Initiated in an earlier run: it still reads its configuration, or was removed from it by a change of port.
      .catch(unlessUnauthorized);
  });
}

const loopbackUri = ({ port }: Preparable) => `mongodb://127.0.0.1:${port}/?directConnection=true`;

const member = ({ port, memberHost = `127.0.0.1:${port}` }: Preparable) => ({
  _id: 0,
  host: memberHost,
});

/** The localhost exception lets anyone on this machine create the first user, and nobody after that. */
async function ensureAdministrator(mongod: Preparable): Promise<void> {
  if (await administratorSignsIn(mongod)) return;
  await withClient(loopbackUri(mongod), async (client) => {
    try {
      await whenPrimary(() => createAdministrator(client, mongod.administratorPassword));
    } catch (error) {
      if (!hasCode(error, UNAUTHORIZED)) throw error;
      throw new Failure(
        "MongoDB has another administrator password than MONGODB_ADMIN_PASSWORD: correct it, or make reset.",
      );
    }
  });
}

function createAdministrator(client: Client, password: string) {
  return client.db("admin").command({
    createUser: ADMINISTRATOR,
    pwd: password,
    roles: ["root"],
    mechanisms: ["SCRAM-SHA-256"],
  });
}

async function administratorSignsIn(mongod: Preparable): Promise<boolean> {
  try {
    await withClient(administratorUri(mongod, { direct: true }), async () => {});
    return true;
  } catch (error) {
    if (hasCode(error, AUTHENTICATION_FAILED)) return false;
    throw error;
  }
}

/** The replica set remembers its member's address: after a change of it, it has to be told the new one. */
async function followAddress(client: Client, mongod: Preparable): Promise<void> {
  const { config } = await client.db("admin").command({ replSetGetConfig: 1 });
  if (config.members[0].host === member(mongod).host) return;
  const version = config.version + 1;
  const moved = { ...config, version, members: [{ ...config.members[0], ...member(mongod) }] };
  await client.db("admin").command({ replSetReconfig: moved, force: true });
}

/** Repeats a write for as long as the only member has not elected itself. */
async function whenPrimary<T>(write: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + PRIMARY_WITHIN_MS;
  for (;;) {
    try {
      return await write();
    } catch (error) {
      const isElecting = electing.some((code) => hasCode(error, code));
      if (!isElecting || performance.now() > deadline) throw error;
      await sleep(20);
    }
  }
}

/** Sets the password each time, so that a changed secret takes effect at the next start. */
async function ensureUser(client: Client, { name, password }: DatabaseUser): Promise<void> {
  const database = client.db(name);
  const user = {
    pwd: password,
    roles: ["readWrite", "dbAdmin"].map((role) => ({ role, db: name })),
    mechanisms: ["SCRAM-SHA-256"],
  };
  const { users } = await database.command({ usersInfo: name });
  await database.command(
    users.length > 0 ? { updateUser: name, ...user } : { createUser: name, ...user },
  );
}

async function withClient(uri: string, use: (client: Client) => Promise<void>): Promise<void> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: PRIMARY_WITHIN_MS });
  try {
    await client.connect();
    await use(client);
  } finally {
    await client.close();
  }
}

function unlessUnauthorized(error: unknown): void {
  if (!hasCode(error, UNAUTHORIZED)) throw error;
}

function hasCode(error: unknown, code: number): boolean {
  return error instanceof MongoServerError && error.code === code;
}
