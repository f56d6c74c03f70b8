/** What is measured of ours, as clients reach it: through the gateway. */
import type { Platform } from "@portico/dev-env";
import { clientCredentialsOf } from "./client-credentials.ts";
import type { Contender } from "./load/in-turn.ts";
import { repeatedly } from "./load/requests.ts";
import { bearer, json, sendForJson } from "./load/send.ts";
import { type Step, stepwise } from "./load/steps.ts";
import { addPeople, type Person, refreshClient, signInWithBrowser } from "./people.ts";
import { refreshChain, requireRotation } from "./refresh-chain.ts";

export const usersMe = (platform: Platform): Contender =>
  repeatedly("GET /auth/users/me through our gateway", () => ({
    url: `${platform.ready.gateway}/auth/users/me`,
    headers: bearer(platform.ready.accessToken),
  }));

export function clientCredentials({ ready }: Platform): Promise<Contender> {
  const client = ready.clients.find(({ grant_types }) =>
    grant_types.includes("client_credentials"),
  );
  return clientCredentialsOf("client credentials through our gateway", {
    tokenUrl: `${ready.gateway}/auth/token`,
    clientId: String(client?.client_id),
    secret: String(client?.client_secret),
    scope: "posts:read",
  });
}

/** Everybody signs in once, in a browser of their own; a connection then goes on refreshing. */
export async function refreshing(platform: Platform, connections: number): Promise<Contender> {
  const client = refreshClient(platform);
  const [tried, ...people] = await addPeople(platform, connections + 1);
  await requireRotation(client, await signInWithBrowser(platform, tried as Person));
  const chains: Step[] = [];
  for (const person of people) {
    chains.push(refreshChain(client, await signInWithBrowser(platform, person)));
  }
  return stepwise("refresh, rotating, through our gateway", chains);
}

/** In turn, so that nobody's limits are met. */
export function signingIn(
  { ready }: Platform,
  people: readonly Person[],
  connections: number,
): Contender {
  let count = 0;
  const signIn = () => {
    const { email, password } = people[count++ % people.length] as Person;
    return sendForJson({ ...json({ email, password }), url: `${ready.gateway}/auth/sign-in` });
  };
  return stepwise("POST /auth/sign-in through our gateway", Array(connections).fill(signIn));
}
