/** What the protocol library gives when nothing is in front of it, behind it or around it. */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { type Server, startServer } from "../../child.ts";
import { clientCredentialsOf } from "../../client-credentials.ts";
import type { Bench } from "../../comparison.ts";
import type { Contender } from "../../load/in-turn.ts";

export interface BareProvider extends Server {
  clientCredentials: Contender;
}

export async function startBareProvider({ folder }: Bench): Promise<BareProvider> {
  const [clientId, secret] = ["bench", randomUUID()];
  const program = join(import.meta.dirname, "server.ts");
  const server = await startServer(program, [clientId, secret], { folder });
  try {
    const clientCredentials = await clientCredentialsOf("oidc-provider alone, ES256, in memory", {
      tokenUrl: `http://127.0.0.1:${server.port}/token`,
      clientId,
      secret,
      scope: "posts:read",
    });
    return { ...server, clientCredentials };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}
