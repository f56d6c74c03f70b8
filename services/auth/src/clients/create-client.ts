import { answer, endpoint, permits } from "@portico/service-kit";
import type { ClientAdministration } from "./administer-clients.ts";
import { ClientView, IssuedSecret, toView } from "./client-metadata.ts";
import { Registration } from "./registration.ts";

/** Registers an application. Its secret, if it has one, is answered here and never again. */
export const createClient = (clients: ClientAdministration) =>
  endpoint({
    method: "post",
    path: "/auth/clients",
    summary: "Register a client",
    description: "Metadata as in RFC 7591, OAuth 2.0 Dynamic Client Registration.",
    guard: permits("clients:write", { roles: ["admin"] }),
    body: Registration,
    reply: {
      status: 201,
      body: ClientView.extend(IssuedSecret.partial().shape).meta({ id: "RegisteredClient" }),
      headers: { Location: "The client" },
    },

    async handle({ body }) {
      const { client, secret } = await clients.register(body);
      return answer(
        {
          ...toView(client),
          ...(secret && { client_secret: secret, client_secret_expires_at: 0 as const }),
        },
        { headers: { Location: `/auth/clients/${client.id}` } },
      );
    },
  });
