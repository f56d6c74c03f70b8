import { join } from "node:path";
import { repositoryRoot } from "../configuration/configuration.ts";
import { type UserKind, userKinds, userPassword } from "../configuration/secrets.ts";
import { Failure } from "../failure.ts";
import { run } from "../processes/run.ts";
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
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      // A native client's loopback redirect may come back on any port (RFC 8252, section 7.3).
      redirect_uris: ["http://127.0.0.1/callback", "http://localhost/callback"],
      scope: `${OPENID_SCOPES} ${API_SCOPES}`,
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

/** Runs auth's seed program in auth's own environment and returns the users with the ids it gave them. */
export async function seed(
  settings: PlatformSettings,
  authEnvironment: Record<string, string>,
): Promise<ReadyUser[]> {
  const users = seedUsers(settings);
  const program = join(repositoryRoot, "services", "auth", "src", "seed.ts");
  const { code, stdout, stderr } = await run(process.execPath, [program], {
    env: { ...authEnvironment, LOG_LEVEL: "warn" },
    cwd: repositoryRoot,
    input: JSON.stringify({ users, clients: seedClients(settings) }),
  });
  if (code !== 0)
    throw new Failure(`The seeded users could not be written: ${lastLine(stderr, stdout)}`);
  const seeded: { users: { email: string; id: string }[] } = JSON.parse(stdout);
  return users.map(({ kind, email, password }) => {
    const id = seeded.users.find((user) => user.email === email)?.id;
    if (!id) throw new Error(`auth's seed program returned no id for ${email}`);
    return { kind, email, password, id };
  });
}

function lastLine(...outputs: string[]): string {
  const lines = outputs.join("\n").trim().split("\n").filter(Boolean);
  // The message of an uncaught error, rather than its stack.
  return lines.find((line) => /^\w*Error: /.test(line)) ?? lines.at(-1) ?? "it said nothing.";
}
