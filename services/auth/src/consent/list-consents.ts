import { endpoint, signedIn } from "@portico/service-kit";
import { z } from "zod";
import type { ConsentStore } from "./consent-store.ts";

const ConsentView = z
  .object({
    clientId: z.string(),
    scopes: z.array(z.string()),
    givenAt: z.iso.datetime(),
  })
  .meta({ id: "Consent" });

/** Of the caller: one for each application that is not the platform's own. */
export const listConsents = (consents: Pick<ConsentStore, "listOf">) =>
  endpoint({
    method: "get",
    path: "/auth/users/me/consents",
    summary: "List which applications you have allowed what",
    guard: signedIn,
    reply: { status: 200, body: z.object({ items: z.array(ConsentView) }) },

    async handle({ caller }) {
      const given = await consents.listOf(caller.subject);
      const items = given.map(({ givenAt, ...rest }) => ({
        ...rest,
        givenAt: givenAt.toISOString(),
      }));
      return { items };
    },
  });
