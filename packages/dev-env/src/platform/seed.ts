import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type UserKind, userKinds, userPassword } from "../configuration/secrets.ts";
import { Failure } from "../failure.ts";
import { nodeProgram, runProgram } from "../processes/node-program.ts";
import type { PlatformSettings } from "./platform-settings.ts";
import type { ClientMetadata, ReadyUser } from "./ready.ts";

/** The users and clients that every development platform has. auth itself writes them; doing it again changes nothing. */
interface SeedUser {
  kind: UserKind;
  email: string;
  password: string;
  roles: string[];
  emailVerified: boolean;
  premiumUntil: string | null;
}

const FAR_FUTURE = "2099-01-01T00:00:00.000Z";

type Traits = Pick<SeedUser, "roles" | "emailVerified" | "premiumUntil">;
const verified: Traits = { roles: ["member"], emailVerified: true, premiumUntil: null };

const traitsOf: Record<UserKind, Traits> = {
  plain: { ...verified, emailVerified: false },
  verified,
  premium: { ...verified, premiumUntil: FAR_FUTURE },
  clinician: { ...verified, roles: ["member", "clinician"] },
  administrator: { ...verified, roles: ["member", "admin"] },
};

export function seedUsers({ secrets }: PlatformSettings): SeedUser[] {
  return userKinds.map((kind) => ({
    kind,
    email: `${kind}@portico.example`,
    password: secrets[userPassword(kind)],
    ...traitsOf[kind],
  }));
}

const OPENID_SCOPES = "openid email profile offline_access";
const API_SCOPES = [
  "posts:read posts:write payments:read payments:write",
  "cards:read patients:read patients:write",
].join(" ");

export function seedClients({ secrets }: PlatformSettings): ClientMetadata[] {
  return [
    {
      client_id: "demo",
      client_name: "Demo",
      application_type: "native",
      token_endpoint_auth_method: "none",
      grant_types: [
        "authorization_code",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code",
      ],
      response_types: ["code"],
      // A native client's loopback redirect may come back on any port (RFC 8252, section 7.3).
      redirect_uris: ["http://127.0.0.1/callback", "http://localhost/callback"],
      post_logout_redirect_uris: ["http://127.0.0.1/signed-out", "http://localhost/signed-out"],
      // The last ones are an administrator's alone.
      scope: `${OPENID_SCOPES} ${API_SCOPES} users:read users:write clients:read clients:write`,
    },
    {
      client_id: "demo-service",
      client_name: "Demo service",
      client_secret: secrets.DEMO_SERVICE_SECRET,
      application_type: "web",
      token_endpoint_auth_method: "client_secret_basic",
      grant_types: ["client_credentials"],
      response_types: [],
      redirect_uris: [],
      scope: API_SCOPES,
    },
  ];
}

/**
 * Writes users and clients and returns the users with their ids. What was written before is not written again: checking five
 * passwords takes longer than everything else a start waits for.
 */
export async function seed(
  settings: PlatformSettings,
  authEnvironment: Record<string, string>,
): Promise<ReadyUser[]> {
  const wanted = { users: seedUsers(settings), clients: seedClients(settings) };
  const input = JSON.stringify(wanted);
  // Beside the data, so that it goes when they go.
  const marker = join(settings.folder, "mongodb", "seeded.json");
  const before = await readFile(marker, "utf8").then(JSON.parse, () => undefined);
  if (before?.input === hashOf(input)) return before.users;

  const seeded = await runSeed(input, authEnvironment);
  const users = wanted.users.map(({ kind, email, password }) => {
    const id = seeded.find((user) => user.email === email)?.id;
    if (!id) throw new Error(`auth's seed program returned no id for ${email}`);
    return { kind, email, password, id };
  });
  await writeFile(marker, JSON.stringify({ input: hashOf(input), users }), { mode: 0o600 });
  return users;
}

/** Runs auth's seed program in auth's own environment. */
async function runSeed(
  input: string,
  authEnvironment: Record<string, string>,
): Promise<{ email: string; id: string }[]> {
  const program = nodeProgram("services/auth/src/seed.ts", authEnvironment);
  const { code, stdout, stderr } = await runProgram(program, { input });
  if (code === 0) return JSON.parse(stdout).users;
  throw new Failure(`The seeded users could not be written: ${lastLine(stderr, stdout)}`);
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function lastLine(...outputs: string[]): string {
  const lines = outputs.join("\n").trim().split("\n").filter(Boolean);
  // The message of an uncaught error, rather than its stack.
  return lines.find((line) => /^\w*Error: /.test(line)) ?? lines.at(-1) ?? "it said nothing.";
}
