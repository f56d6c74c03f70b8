import { endpoint, notFound, permits } from "@portico/service-kit";
import { z } from "zod";
import type { ClientAdministration } from "./administer-clients.ts";
import { ClientId } from "./client.ts";
import { ClientView, toView } from "./client-metadata.ts";

export const getClient = (clients: ClientAdministration) =>
  endpoint({
    method: "get",
    path: "/auth/clients/:clientId",
    summary: "Read a client",
    guard: permits("clients:read", { roles: ["admin"] }),
    params: z.object({ clientId: ClientId }),
    reply: { status: 200, body: ClientView },
    problems: [notFound],

    async handle({ params: { clientId } }) {
      const client = await clients.find(clientId);
      if (!client) throw notFound();
      return toView(client);
    },
  });
