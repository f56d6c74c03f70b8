import { answer, endpoint, notFound, permits, problemType } from "@portico/service-kit";
import { z } from "zod";
import type { ClientAdministration } from "./administer-clients.ts";
import { ClientId } from "./client.ts";
import { IssuedSecret } from "./client-metadata.ts";

const dayS = 86_400;

const noSecret = problemType(409, "no-secret", "The client does not prove who it is by a secret.");

/** The secret before it stays good for a day, so that the application can change over; or as long as is said. */
export const changeSecret = (clients: ClientAdministration) =>
  endpoint({
    method: "post",
    path: "/auth/clients/:clientId/secret",
    summary: "Give a client a new secret",
    guard: permits("clients:write", { roles: ["admin"] }),
    params: z.object({ clientId: ClientId }),
    body: z.object({
      previous_valid_for: z
        .int()
        .min(0)
        .max(30 * dayS)
        .default(dayS)
        .meta({
          description:
            "Seconds. 0 for a secret that is known to others: everything that was got with it ends",
        }),
    }),
    reply: { status: 201, body: IssuedSecret, headers: { "Cache-Control": "no-store" } },
    problems: [notFound, noSecret],

    async handle({ params: { clientId }, body }) {
      const secret = await clients.changeSecret(clientId, body.previous_valid_for);
      if (!secret) throw (await clients.find(clientId)) ? noSecret() : notFound();
      return answer({ client_secret: secret, client_secret_expires_at: 0 as const });
    },
  });
