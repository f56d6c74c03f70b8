import { conflict, endpoint, notFound, permits } from "@portico/service-kit";
import { z } from "zod";
import type { ClientAdministration } from "./administer-clients.ts";
import { ClientId } from "./client.ts";
import { ClientView, toView } from "./client-metadata.ts";
import { Change } from "./registration.ts";

/** Fields that are left out stay. What is taken from a client, its tokens lose within a second. */
export const changeClient = (clients: ClientAdministration) =>
  endpoint({
    method: "patch",
    path: "/auth/clients/:clientId",
    summary: "Change, disable or enable a client",
    guard: permits("clients:write", { roles: ["admin"] }),
    params: z.object({ clientId: ClientId }),
    body: Change,
    reply: { status: 200, body: ClientView },
    problems: [notFound, conflict],

    async handle({ params: { clientId }, body }) {
      const client = await clients.change(clientId, body);
      if (client === "unknown") throw notFound();
      if (client === "changed-meanwhile") throw conflict("Somebody else changed it meanwhile.");
      return toView(client);
    },
  });
