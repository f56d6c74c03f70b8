/** Keycloak in its development mode, with its own H2 database, reached at its own port. */
import { equal } from "node:assert/strict";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findFreePorts } from "@portico/dev-env";
import { type Child, startChild, waitUntil } from "../../child.ts";
import { clientCredentialsOf } from "../../client-credentials.ts";
import type { Bench } from "../../comparison.ts";
import type { Contender } from "../../load/in-turn.ts";
import { type Request, repeatedly } from "../../load/requests.ts";
import { bearer, form, send, sendForJson } from "../../load/send.ts";
import { stepwise } from "../../load/steps.ts";
import { type RefreshClient, refreshChain, requireRotation } from "../../refresh-chain.ts";
import { keycloakDistribution, version } from "./distribution.ts";
import { realm, realmImport } from "./realm.ts";

/** The first start builds it; two busy cores take a minute for that. */
const startsWithinMs = 240_000;
/** Until the JVM has compiled what it runs. */
const warmUpSeconds = 20;

export interface Keycloak extends Child {
  userinfo: Contender;
  clientCredentials: Contender;
  /** @param chains how many connections it has to be enough for */
  refresh(chains: number): Promise<Contender>;
}

export async function startKeycloak(bench: Bench): Promise<Keycloak> {
  const { child, endpoints } = await start(bench);
  try {
    const person = await signIn(endpoints);
    const userinfo = () => askUserinfo(endpoints, person.access_token);
    await requireRightAnswers(endpoints, person.access_token);
    const name = (what: string) => `Keycloak ${version}, ${what}`;
    return {
      ...child,
      userinfo: repeatedly(name("userinfo"), userinfo, { warmUpSeconds }),
      clientCredentials: await clientCredentialsOf(
        name("client credentials"),
        {
          tokenUrl: `${endpoints}/token`,
          clientId: realm.service.id,
          secret: realm.service.secret,
        },
        { warmUpSeconds },
      ),
      refresh: async (count) => {
        const client = refreshClient(endpoints);
        await requireRotation(client, (await signIn(endpoints)).refresh_token, 1_100);
        const chains = await openChains(endpoints, count);
        return stepwise(name("refresh, rotating"), chains, { warmUpSeconds });
      },
    };
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}

async function start({ folder, progress }: Bench): Promise<{ child: Child; endpoints: string }> {
  const home = join(folder, "keycloak");
  await cp(join(await keycloakDistribution(progress), "keycloak"), home, { recursive: true });
  await mkdir(join(home, "data", "import"), { recursive: true });
  await writeFile(join(home, "data", "import", "realm.json"), JSON.stringify(realmImport));

  const [port = 0, managementPort = 0] = await findFreePorts(2);
  const ports = ["--http-port", String(port), "--http-management-port", String(managementPort)];
  const args = ["start-dev", "--import-realm", "--http-host", "127.0.0.1", ...ports];
  const program = join(home, "bin", "kc.sh");
  const child = startChild("sh", [program, ...args], { folder, name: "keycloak" });
  const origin = `http://127.0.0.1:${port}/realms/${realm.name}`;
  const step = progress.step(`start Keycloak ${version}`);
  try {
    await waitUntil(
      async () => (await send({ url: origin })).status === 200,
      child,
      startsWithinMs,
    );
    step.done();
  } catch (error) {
    step.failed();
    await child[Symbol.asyncDispose]();
    throw error;
  }
  return { child, endpoints: `${origin}/protocol/openid-connect` };
}

interface Tokens {
  access_token: string;
  refresh_token: string;
}

/** By the grant that OAuth 2.1 does away with: it spares a browser, and what comes of it is the same. */
const signIn = (endpoints: string): Promise<Tokens> =>
  sendForJson({
    ...form({
      grant_type: "password",
      client_id: realm.app,
      username: realm.user.username,
      password: realm.user.password,
      scope: "openid",
    }),
    url: `${endpoints}/token`,
  });

const askUserinfo = (endpoints: string, token: string): Request => ({
  url: `${endpoints}/userinfo`,
  headers: bearer(token),
});

const refreshClient = (endpoints: string): RefreshClient => ({
  tokenUrl: `${endpoints}/token`,
  clientId: realm.app,
});

async function openChains(endpoints: string, count: number) {
  const chains = [];
  for (let chain = 0; chain < count; chain += 1) {
    chains.push(refreshChain(refreshClient(endpoints), (await signIn(endpoints)).refresh_token));
  }
  return chains;
}

/** It answers the person whose token it is, and nobody with another one. */
async function requireRightAnswers(endpoints: string, token: string): Promise<void> {
  const claims = await sendForJson<{ email: string }>(askUserinfo(endpoints, token));
  equal(claims.email, realm.user.email, "Keycloak answers somebody else");
  const forged = `${token.slice(0, -4)}AAAA`;
  equal((await send(askUserinfo(endpoints, forged))).status, 401, "Keycloak takes a wrong token");
}
