/** A client that asks for a token of its own (RFC 6749 section 4.4), again and again. */
import { equal } from "node:assert/strict";
import type { Contender } from "./load/in-turn.ts";
import { type Request, repeatedly } from "./load/requests.ts";
import { basic, form, send, sendForJson } from "./load/send.ts";

export interface ConfidentialClient {
  tokenUrl: string;
  clientId: string;
  secret: string;
  scope?: string;
}

/** It has given out a JWT by then, and none for a wrong secret. */
export async function clientCredentialsOf(
  name: string,
  client: ConfidentialClient,
  options: Pick<Contender, "warmUpSeconds"> = {},
): Promise<Contender> {
  const right = await sendForJson<{ access_token: string }>(ask(client));
  equal(right.access_token.split(".").length, 3, `${name}: no JWT`);
  const wrong = await send(ask({ ...client, secret: "guessed" }));
  equal(wrong.status, 401, `${name}: a wrong secret is taken`);
  return repeatedly(name, () => ask(client), options);
}

function ask({ tokenUrl, clientId, secret, scope }: ConfidentialClient): Request {
  const request = form({ grant_type: "client_credentials", ...(scope && { scope }) });
  const headers = { ...request.headers, ...basic(clientId, secret) };
  return { ...request, headers, url: tokenUrl };
}
