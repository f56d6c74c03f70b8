import { json } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../failure.ts";
import { acceptsConnections } from "../processes/readiness.ts";
import type { DatabaseUser, Preparable } from "./mongod.ts";
import { prepareMongod } from "./prepare-mongod.ts";

/** Run as a process of its own, with a Preparation on standard input. A Failure is the one line on standard error. */
export interface Preparation {
  mongod: Preparable;
  users: DatabaseUser[];
}

const PROBE_EVERY_MS = 20;

const { mongod, users } = (await json(process.stdin)) as Preparation;
const isUp = acceptsConnections(mongod.port);
while (!(await isUp())) await sleep(PROBE_EVERY_MS);

try {
  await prepareMongod(mongod, users);
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  process.stderr.write(error.message);
  process.exitCode = 1;
}
