import { endpoint, notFound, permits } from "@portico/service-kit";
import { z } from "zod";
import type { ClientAdministration } from "./administer-clients.ts";
import { ClientId } from "./client.ts";

/** For good; its tokens are refused within a second. To take it out of use for a while, disable it. */
export const deleteClient = (clients: ClientAdministration) =>
  endpoint({
    method: "delete",
    path: "/auth/clients/:clientId",
    summary: "Delete a client",
    guard: permits("clients:write", { roles: ["admin"] }),
    params: z.object({ clientId: ClientId }),
    reply: { status: 204 },
    problems: [notFound],

    async handle({ params: { clientId } }) {
      if (!(await clients.remove(clientId))) throw notFound();
      return undefined;
    },
  });
