/**
 * The first thing that `docker compose up` runs: makes secrets once, and from them what each container reads. In a
 * volume of their own rather than in docker-compose.yml, so that no two installations share a secret.
 */
import { randomBytes } from "node:crypto";
import { chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type ServiceName, serviceNames } from "../configuration/services.ts";
import { accessControlList, GATEWAY_USER } from "../stores/redis.ts";
import { gatewayObjects } from "./gateway-objects.ts";

const ORIGIN = "http://portico.localhost:8080";
/** Everything in the containers runs as this user. */
const USER = 1000;

const folder = process.argv[2] ?? "/setup";
const writable = process.argv.slice(3);

type Kept = Record<string, string>;

function readKept(file: string): Kept {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
}

const file = join(folder, "secrets.json");
const secrets = readKept(file);
const secret = (name: string, bytes = 24): string => {
  secrets[name] ??= randomBytes(bytes).toString("base64url");
  return secrets[name];
};

const passwordAt = (store: string, name: string) => secret(`${name}@${store}`);
const extend = { EXTEND_API_KEY: secret("extend-key"), EXTEND_API_SECRET: secret("extend-secret") };

const own: Partial<Record<ServiceName, Kept>> = {
  auth: {
    PUBLIC_ORIGIN: ORIGIN,
    FRONTEND_URL: ORIGIN,
    TRUSTED_HOPS: "1",
    EMAIL_FROM: "Portico <no-reply@portico.example>",
    SMTP_URL: "smtp://sandboxes:8026",
    SERVICE_ORIGINS: serviceNames
      .filter((name) => name !== "auth")
      .map((name) => `${name}=http://${name}:8080`)
      .join(","),
    KEY_ENCRYPTION_KEY: secret("key-encryption-key", 32),
    COOKIE_KEYS: secret("cookie-keys", 32),
  },
  cards: { EXTEND_URL: "http://sandboxes:8027", ...extend },
};

const environmentOf = (name: ServiceName): Kept => ({
  MONGODB_URI: `mongodb://${name}:${passwordAt("mongodb", name)}@mongodb:27017/${name}?replicaSet=portico`,
  REDIS_URL: `redis://${name}:${passwordAt("redis", name)}@redis:6379`,
  ISSUER: `${ORIGIN}/auth`,
  AUDIENCE: ORIGIN,
  JWKS_URL: "http://auth:8080/auth/jwks",
  ...(name !== "auth" && { REVOCATIONS_URL: "http://auth:9090/revocations" }),
  ...own[name],
});

const lines = (variables: Kept) =>
  Object.entries(variables)
    .map(([name, value]) => `${name}="${value}"\n`)
    .join("");

const administrator = {
  kind: "administrator",
  email: "administrator@portico.example",
  password: secret("first-administrator", 9),
  roles: ["admin"],
  emailVerified: true,
  premiumUntil: null,
  onlyIfMissing: true,
};

const users = (store: string) =>
  serviceNames.map((name) => ({ name, password: passwordAt(store, name) }));

const files: Record<string, string> = {
  ...Object.fromEntries(serviceNames.map((name) => [`${name}.env`, lines(environmentOf(name))])),
  "sandboxes.env": lines({
    ...extend,
    IDENTITY_PROVIDER_CLIENT_SECRET: secret("identity-provider"),
    IDENTITY_PROVIDER_REDIRECT_URI: `${ORIGIN}/auth/identity-providers/sandbox/callback`,
  }),
  "seed.json": JSON.stringify({ users: [administrator] }),
  "mongodb.key": secret("mongodb-key-file", 48).replaceAll(/[-_]/g, "A"),
  "mongodb.json": JSON.stringify({
    mongod: {
      port: 27_017,
      memberHost: "mongodb:27017",
      administratorPassword: secret("mongodb-administrator"),
    },
    users: users("mongodb"),
  }),
  "users.acl": accessControlList({ administratorPassword: secret("redis-administrator") }, [
    ...users("redis"),
    { name: GATEWAY_USER, password: passwordAt("redis", GATEWAY_USER) },
  ]),
  "gateway.env": lines({
    GATEWAY_REDIS_URL: `redis://${GATEWAY_USER}:${passwordAt("redis", GATEWAY_USER)}@redis:6379`,
  }),
  "objects/platform.yaml": gatewayObjects(ORIGIN),
};

for (const [name, content] of Object.entries({
  ...files,
  "secrets.json": JSON.stringify(secrets),
})) {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content, { mode: 0o600 });
}
// Only root can give files away; who is not root runs this as who reads them.
if (process.getuid?.() === 0) for (const path of [folder, ...writable]) give(path);
console.log(`${ORIGIN} as ${administrator.email} with the password ${administrator.password}`);

function give(path: string): void {
  for (const entry of readdirSync(path, { recursive: true, encoding: "utf8" })) {
    chownSync(join(path, entry), USER, USER);
  }
  chownSync(path, USER, USER);
}
