import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { Failure } from "../failure.ts";
import { type ServiceName, serviceNames } from "./services.ts";

/**
 * Every secret of a platform, by the name of the environment variable that may set it. Taken from the environment, else
 * from a git-ignored `.env`, else generated once and kept in the platform's folder.
 */
export type Secrets = Record<SecretName, string>;

type StorePassword = `${Uppercase<ServiceName>}_${"MONGODB" | "REDIS"}_PASSWORD`;
export const userKinds = ["plain", "verified", "premium", "clinician", "administrator"] as const;
export type UserKind = (typeof userKinds)[number];
type UserPassword = `${Uppercase<UserKind>}_USER_PASSWORD`;

export type SecretName =
  | "MONGODB_ADMIN_PASSWORD"
  | "MONGODB_KEY_FILE"
  | "REDIS_ADMIN_PASSWORD"
  | "GATEWAY_REDIS_PASSWORD"
  | "KEY_ENCRYPTION_KEY"
  | "COOKIE_KEYS"
  | "EXTEND_API_KEY"
  | "EXTEND_API_SECRET"
  | "IDENTITY_PROVIDER_CLIENT_SECRET"
  | "DEMO_SERVICE_SECRET"
  | StorePassword
  | UserPassword;

type Generate = () => string;

const password: Generate = () => randomBytes(24).toString("base64url");
const readablePassword: Generate = () => randomBytes(9).toString("base64url");

const generators: Record<SecretName, Generate> = {
  MONGODB_ADMIN_PASSWORD: password,
  MONGODB_KEY_FILE: () => randomBytes(48).toString("base64"),
  REDIS_ADMIN_PASSWORD: password,
  GATEWAY_REDIS_PASSWORD: password,
  KEY_ENCRYPTION_KEY: () => randomBytes(32).toString("base64url"),
  COOKIE_KEYS: () => randomBytes(32).toString("base64url"),
  EXTEND_API_KEY: () => `extend-${randomBytes(9).toString("hex")}`,
  EXTEND_API_SECRET: password,
  IDENTITY_PROVIDER_CLIENT_SECRET: password,
  DEMO_SERVICE_SECRET: password,
  ...forEach(serviceNames.flatMap(storePasswords), password),
  ...forEach(userKinds.map(userPassword), readablePassword),
};

export interface SecretSources {
  /** Where generated ones are kept. */
  folder: string;
  /** What a person set: the environment, and the `.env` beside the configuration file. */
  given: Record<string, string | undefined>;
}

export async function readSecrets({ folder, given }: SecretSources): Promise<Secrets> {
  const file = join(folder, "secrets.json");
  const kept = await readKept(file);
  const generated: Record<string, string> = { ...kept };
  const secrets: Record<string, string> = {};
  for (const [name, generate] of Object.entries(generators)) {
    generated[name] ??= generate();
    secrets[name] = given[name] || generated[name];
  }
  if (Object.keys(generated).length > Object.keys(kept).length) await keep(file, generated);
  return secrets as Secrets;
}

/** The variables a person set for this platform. The environment wins over `.env`. */
export async function givenVariables(root: string, environment: NodeJS.ProcessEnv) {
  const text = await readFile(join(root, ".env"), "utf8").catch(() => "");
  return { ...parseEnv(text), ...environment };
}

export function storePassword(service: ServiceName, store: "MONGODB" | "REDIS"): StorePassword {
  return `${service.toUpperCase() as Uppercase<ServiceName>}_${store}_PASSWORD`;
}

export function userPassword(kind: UserKind): UserPassword {
  return `${kind.toUpperCase() as Uppercase<UserKind>}_USER_PASSWORD`;
}

function storePasswords(service: ServiceName): StorePassword[] {
  return [storePassword(service, "MONGODB"), storePassword(service, "REDIS")];
}

function forEach<Name extends string>(names: Name[], generate: Generate) {
  return Object.fromEntries(names.map((name) => [name, generate])) as Record<Name, Generate>;
}

async function readKept(file: string): Promise<Record<string, string>> {
  const text = await readFile(file, "utf8").catch(() => "{}");
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure(`${file} is not JSON: restore it, or start over with make reset.`);
  }
}

async function keep(file: string, secrets: Record<string, string>): Promise<void> {
  const next = `${file}.${process.pid}`;
  await writeFile(next, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  await rename(next, file);
}
