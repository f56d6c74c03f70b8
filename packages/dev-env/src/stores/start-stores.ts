import { join } from "node:path";
import { Failure } from "../failure.ts";
import { nodeProgram, runProgram } from "../processes/node-program.ts";
import type { Supervisor } from "../processes/supervisor.ts";
import {
  administratorUri,
  type DatabaseUser,
  databaseUri,
  type Mongod,
  mongodProcess,
} from "./mongod.ts";
import type { Preparation } from "./prepare-mongod.main.ts";
import {
  type KeyUser,
  type Redis,
  redisAdministratorUri,
  redisProcess,
  redisUri,
} from "./redis.ts";

export interface StoreOptions {
  supervisor: Supervisor;
  folder: string;
  mongodb: Omit<Mongod, "folder">;
  redis: Omit<Redis, "folder">;
  /** Who uses the stores, each with its password at either one. */
  users: { name: string; mongodbPassword: string; redisPassword: string }[];
  /** Who uses Redis alone. */
  redisUsers?: KeyUser[];
}

export interface Stores {
  /** Administrative URIs: for tests, backups and people, never for a service. */
  mongodb: string;
  redis: string;
  mongodbUriOf(user: string): string;
  redisUrlOf(user: string): string;
}

/** Starts both stores at the same time and resolves when every user can sign in. */
export async function startStores(options: StoreOptions): Promise<Stores> {
  await Promise.all([startMongod(options), startRedis(options)]);
  return {
    mongodb: administratorUri(options.mongodb),
    redis: redisAdministratorUri(options.redis),
    mongodbUriOf: (name) => databaseUri(options.mongodb.port, databaseUser(options, name)),
    redisUrlOf: (name) => redisUri(options.redis.port, keyUser(options, name)),
  };
}

async function startMongod(options: StoreOptions): Promise<void> {
  const mongod = { ...options.mongodb, folder: join(options.folder, "mongodb") };
  const users = options.users.map(({ name }) => databaseUser(options, name));
  const process = await mongodProcess(mongod);
  const abandon = new AbortController();
  try {
    await Promise.all([
      options.supervisor.start(process),
      prepare({ mongod, users }, abandon.signal),
    ]);
  } finally {
    abandon.abort();
  }
}

/**
 * In a process of its own, which loads the database driver while mongod starts: the driver is needed for a second, and
 * would stay in this process for as long as everything runs.
 */
async function prepare(preparation: Preparation, signal: AbortSignal): Promise<void> {
  const program = nodeProgram("packages/dev-env/src/stores/prepare-mongod.main.ts");
  const input = JSON.stringify(preparation);
  const { code, stderr } = await runProgram(program, { input, signal });
  if (code !== 0) throw new Failure(stderr || "MongoDB could not be prepared.");
}

async function startRedis(options: StoreOptions): Promise<void> {
  const redis = { ...options.redis, folder: join(options.folder, "redis") };
  const users = keyUsers(options);
  await options.supervisor.start(await redisProcess(redis, users));
}

function databaseUser(options: StoreOptions, name: string): DatabaseUser {
  return { name, password: named(options.users, name).mongodbPassword };
}

function keyUsers({ users, redisUsers = [] }: StoreOptions): KeyUser[] {
  const own = users.map(({ name, redisPassword }) => ({ name, password: redisPassword }));
  return [...own, ...redisUsers];
}

function keyUser(options: StoreOptions, name: string): KeyUser {
  return named(keyUsers(options), name);
}

function named<User extends { name: string }>(users: User[], name: string): User {
  const user = users.find((candidate) => candidate.name === name);
  if (!user) throw new Error(`no store user is called ${name}`);
  return user;
}
