import {
  answerPage,
  decodeCursor,
  endpoint,
  PageQuery,
  pageOf,
  permits,
  toPage,
} from "@portico/service-kit";
import { z } from "zod";
import type { ClientAdministration } from "./administer-clients.ts";
import { ClientView, toView } from "./client-metadata.ts";

const Key = z.tuple([z.string()]);

export const listClients = (clients: ClientAdministration) =>
  endpoint({
    method: "get",
    path: "/auth/clients",
    summary: "List clients",
    guard: permits("clients:read", { roles: ["admin"] }),
    query: PageQuery,
    reply: { status: 200, body: pageOf(ClientView), headers: { Link: "The next page" } },

    async handle({ query: { limit, after }, url }) {
      const [afterId] = after ? decodeCursor(after, Key) : [];
      const found = await clients.list(afterId, limit + 1);
      return answerPage(
        toPage(found.map(toView), limit, ({ client_id }) => [client_id]),
        url,
      );
    },
  });
