import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ProcessSpec } from "../processes/managed-process.ts";
import { acceptsConnections } from "../processes/readiness.ts";

/**
 * Redis for caches, rate limits, revocation fan-out and the event stream. It keeps nothing on disk: the state of record is
 * in MongoDB, and a Redis that starts empty must be survived anyway. Each service has a user that reaches its own keys
 * and the shared event stream only.
 */
const ADMINISTRATOR = "admin";

/** Who counts rate limits, and does nothing else here. */
export const GATEWAY_USER = "gateway";

export interface Redis {
  program: string;
  port: number;
  folder: string;
  administratorPassword: string;
  /** Numbered databases; tests take one each. */
  databases?: number;
}

export interface KeyUser {
  /** The user's name, and the prefix of the keys it may use. */
  name: string;
  password: string;
}

export async function redisProcess(redis: Redis, users: KeyUser[]): Promise<ProcessSpec> {
  await mkdir(redis.folder, { recursive: true });
  const aclFile = join(redis.folder, "users.acl");
  await writeFile(aclFile, accessControlList(redis, users), { mode: 0o600 });
  return {
    name: "redis-server",
    stage: "stores",
    command: redis.program,
    args: [
      ...["--bind", "127.0.0.1", "--port", String(redis.port), "--dir", redis.folder],
      ...["--aclfile", aclFile, "--databases", String(redis.databases ?? 16)],
      ...["--save", "", "--appendonly", "no", "--loglevel", "notice"],
    ],
    port: redis.port,
    isReady: acceptsConnections(redis.port),
  };
}

export function redisUri(port: number, { name, password }: KeyUser, database = 0): string {
  const path = database === 0 ? "" : `/${database}`;
  return `redis://${name}:${encodeURIComponent(password)}@127.0.0.1:${port}${path}`;
}

export function redisAdministratorUri(
  redis: Pick<Redis, "port" | "administratorPassword">,
  database?: number,
): string {
  const administrator = { name: ADMINISTRATOR, password: redis.administratorPassword };
  return redisUri(redis.port, administrator, database);
}

export function accessControlList(
  redis: Pick<Redis, "administratorPassword">,
  users: KeyUser[],
): string {
  const lines = [
    "user default off",
    `user ${ADMINISTRATOR} on ${passwordHash(redis.administratorPassword)} ~* &* +@all`,
    ...users.map((user) => (user.name === GATEWAY_USER ? gatewayRule(user) : serviceRule(user))),
  ];
  return `${lines.join("\n")}\n`;
}

/**
 * SCAN and RANDOMKEY are not limited by key patterns and would show the names of others' keys. INFO counts as dangerous,
 * yet ioredis asks it whether the server has finished loading.
 */
function serviceRule({ name, password }: KeyUser): string {
  const reach = `~${name}:* ~events:* resetchannels &${name}:* &events:*`;
  const commands = "+@all -@admin -@dangerous -scan -randomkey +info";
  return `user ${name} on ${passwordHash(password)} ${reach} ${commands}`;
}

/** Its buckets and the one script that counts in them, with what that calls; INFO as above. */
function gatewayRule({ name, password }: KeyUser): string {
  const commands = "-@all +eval +evalsha +time +get +set +info +ping";
  return `user ${name} on ${passwordHash(password)} ~${name}:limit:* resetchannels ${commands}`;
}

function passwordHash(password: string): string {
  return `#${createHash("sha256").update(password).digest("hex")}`;
}
