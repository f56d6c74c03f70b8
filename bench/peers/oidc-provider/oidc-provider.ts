/** What the protocol library gives when nothing is in front of it, behind it or around it. */
import { equal } from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { type Server, startServer } from "../../child.ts";
import type { Bench } from "../../comparison.ts";
import type { Contender } from "../../load/in-turn.ts";
import { type Request, repeatedly } from "../../load/requests.ts";
import { basic, form, send, sendForJson } from "../../load/send.ts";

const clientId = "bench";

export interface BareProvider extends Server {
  clientCredentials: Contender;
}

export async function startBareProvider({ folder }: Bench): Promise<BareProvider> {
  const secret = randomUUID();
  const program = join(import.meta.dirname, "server.ts");
  const server = await startServer(program, [clientId, secret], { folder });
  const ask = (given: string): Request => {
    const request = form({ grant_type: "client_credentials", scope: "posts:read" });
    const headers = { ...request.headers, ...basic(clientId, given) };
    return { ...request, headers, url: `http://127.0.0.1:${server.port}/token` };
  };
  try {
    const { access_token } = await sendForJson<{ access_token: string }>(ask(secret));
    equal(access_token.split(".").length, 3, "the library alone gives out no JWT");
    equal((await send(ask("guessed"))).status, 401, "the library alone takes a wrong secret");
    const clientCredentials = repeatedly("oidc-provider alone, ES256, in memory", () =>
      ask(secret),
    );
    return { ...server, clientCredentials };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}
