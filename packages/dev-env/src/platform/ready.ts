import { renameSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { UserKind } from "../configuration/secrets.ts";
import type { RunningProcess } from "../processes/supervisor.ts";

/** `ready.json`: where everything is and how to sign in, for programs. It holds secrets, so only its owner reads it. */
export interface Ready {
  gateway: string;
  docs: string;
  mailbox: string;
  users: ReadyUser[];
  clients: ClientMetadata[];
  /** Of the verified user; renewed before it expires. */
  accessToken: string;
  /** Administrative URIs. */
  stores: { mongodb: string; redis: string };
  sandboxes: {
    extend: { url: string; apiKey: string; apiSecret: string };
    identityProvider: { url: string; clientId: string; clientSecret: string };
  };
  /** Rewritten when one of them is restarted. */
  processes: RunningProcess[];
}

export interface ReadyUser {
  kind: UserKind;
  email: string;
  password: string;
  id: string;
}

/** OAuth client metadata in the wire's spelling (RFC 7591). */
export interface ClientMetadata {
  client_id: string;
  client_name: string;
  client_secret?: string;
  application_type: "native" | "web";
  token_endpoint_auth_method: "none" | "client_secret_basic";
  grant_types: string[];
  response_types: string[];
  redirect_uris: string[];
  post_logout_redirect_uris?: string[];
  scope: string;
}

const READY = "ready.json";
const AUTHORIZATION = "authorization";

/** The token stands in a file of its own as well, as the header that `curl -H @file` sends. */
export function writeReady(folder: string, ready: Ready): void {
  replaceFile(authorizationFile(folder), `Authorization: Bearer ${ready.accessToken}\n`);
  replaceFile(readyFile(folder), `${JSON.stringify(ready, null, 2)}\n`);
}

/** Synchronous and by rename: a reader never sees half of it, and two writers never interleave. */
function replaceFile(file: string, content: string): void {
  const next = `${file}.${process.pid}`;
  writeFileSync(next, content, { mode: 0o600 });
  renameSync(next, file);
}

/** What is not running is not ready. */
export function removeReady(folder: string): void {
  for (const file of [readyFile(folder), authorizationFile(folder)]) rmSync(file, { force: true });
}

export async function readReady(folder: string): Promise<Ready | undefined> {
  const text = await readFile(readyFile(folder), "utf8").catch(() => undefined);
  return text === undefined ? undefined : JSON.parse(text);
}

export function readyFile(folder: string): string {
  return join(folder, READY);
}

export function authorizationFile(folder: string): string {
  return join(folder, AUTHORIZATION);
}
