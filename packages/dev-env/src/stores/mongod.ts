import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ProcessSpec } from "../processes/managed-process.ts";
import { acceptsConnections } from "../processes/readiness.ts";

/**
 * mongod as a replica set of one, because transactions and change streams need a replica set. Authentication is on, and
 * each service has a user that reaches its own database only.
 */
export const REPLICA_SET = "portico";
export const ADMINISTRATOR = "admin";

export interface Mongod {
  program: string;
  port: number;
  folder: string;
  /** What members of a replica set prove their membership with. Base64, 6 to 1024 characters. */
  keyFile: string;
  administratorPassword: string;
}

/** What preparing one takes. */
export type Preparable = Pick<Mongod, "port" | "administratorPassword"> & {
  /** `host:port` under which clients, and mongod itself, reach it; loopback unless said otherwise. */
  memberHost?: string;
};

export interface DatabaseUser {
  /** The user's name, and that of the one database it may use. */
  name: string;
  password: string;
}

export async function mongodProcess(mongod: Mongod): Promise<ProcessSpec> {
  const database = join(mongod.folder, "data");
  const keyFile = join(mongod.folder, "key-file");
  await mkdir(database, { recursive: true });
  await rm(keyFile, { force: true });
  await writeFile(keyFile, mongod.keyFile, { mode: 0o400 });
  return {
    name: "mongod",
    stage: "stores",
    command: mongod.program,
    args: [
      ...["--bind_ip", "127.0.0.1", "--port", String(mongod.port), "--nounixsocket"],
      ...["--dbpath", database, "--replSet", REPLICA_SET, "--keyFile", keyFile],
      ...["--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "128", "--noscripting", "--quiet"],
      // Only a server in production is diagnosed from these files; here they cost a write per second.
      ...["--setParameter", "diagnosticDataCollectionEnabled=false"],
      // Room for thousands more, which the default reserves, costs 40 MiB.
      ...["--wiredTigerEngineConfigString", "session_max=2000"],
      // Our passwords are random, so stretching them buys nothing and is paid on every new connection.
      ...["--setParameter", "scramSHA256IterationCount=5000"],
      // A service that is killed in a transaction keeps others from what it had written until then.
      ...["--setParameter", "transactionLifetimeLimitSeconds=5"],
    ],
    port: mongod.port,
    isReady: acceptsConnections(mongod.port),
  };
}

export function administratorUri(
  mongod: Pick<Mongod, "port" | "administratorPassword">,
  options: { direct?: boolean } = {},
): string {
  const password = encodeURIComponent(mongod.administratorPassword);
  const mode = options.direct ? "directConnection=true" : `replicaSet=${REPLICA_SET}`;
  return `mongodb://${ADMINISTRATOR}:${password}@127.0.0.1:${mongod.port}/?${mode}&authSource=admin`;
}

export function databaseUri(port: number, { name, password }: DatabaseUser): string {
  const user = `${name}:${encodeURIComponent(password)}`;
  return `mongodb://${user}@127.0.0.1:${port}/${name}?replicaSet=${REPLICA_SET}`;
}
