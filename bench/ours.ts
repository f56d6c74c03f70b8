/** What is measured of ours, as clients reach it: through the gateway. */
import type { Platform, ReadyUser } from "@portico/dev-env";
import type { Contender } from "./load/in-turn.ts";
import { repeatedly } from "./load/requests.ts";
import { basic, bearer, form, json, sendForJson } from "./load/send.ts";

export const usersMe = (platform: Platform): Contender =>
  repeatedly("GET /auth/users/me through our gateway", () => ({
    url: `${platform.ready.gateway}/auth/users/me`,
    headers: bearer(platform.ready.accessToken),
  }));

export function clientCredentials({ ready }: Platform): Contender {
  const client = ready.clients.find(({ grant_types }) =>
    grant_types.includes("client_credentials"),
  );
  const request = form({ grant_type: "client_credentials", scope: "posts:read" });
  const authorization = basic(String(client?.client_id), String(client?.client_secret));
  return repeatedly("client credentials, POST /auth/token through our gateway", () => ({
    ...request,
    url: `${ready.gateway}/auth/token`,
    headers: { ...request.headers, ...authorization },
  }));
}

export type SignedIn = { accessToken: string; expiresIn: number };

export const signIn = (
  gateway: string,
  { email, password }: Pick<ReadyUser, "email" | "password">,
): Promise<SignedIn> =>
  sendForJson({ ...json({ email, password }), url: `${gateway}/auth/sign-in` });
