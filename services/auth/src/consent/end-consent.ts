import { endpoint, notFound, signedIn } from "@portico/service-kit";
import { z } from "zod";
import { ClientId } from "../clients/client.ts";
import type { WithdrawConsent } from "./withdraw-consent.ts";

/** The application's tokens for the caller are refused within a second, and it has to ask again. */
export const endConsent = (withdraw: WithdrawConsent) =>
  endpoint({
    method: "delete",
    path: "/auth/users/me/consents/:clientId",
    summary: "Take back what you allowed an application",
    guard: signedIn,
    params: z.object({ clientId: ClientId }),
    reply: { status: 204 },
    problems: [notFound],

    async handle({ caller, params: { clientId } }) {
      if (!(await withdraw(caller.subject, clientId))) throw notFound();
      return undefined;
    },
  });
