import type { ServerResponse } from "node:http";
import { invalidRequest } from "@portico/service-kit";
import { type Client, errors, type Interaction, type Provider } from "oidc-provider";
import type { PageRequest } from "../pages/page-handler.ts";

/** The interaction that the path names, if this browser has its cookie, and the client that waits. */
export async function loadInteraction(
  provider: Provider,
  request: PageRequest,
  response: ServerResponse,
): Promise<{ interaction: Interaction; client: Client }> {
  const interaction = await provider.interactionDetails(request, response).catch(endedWhenLost);
  const client = await provider.Client.find(String(interaction.params.client_id));
  if (!client || interaction.uid !== request.params?.uid) throw ended();
  return { interaction, client };
}

export const ended = () =>
  invalidRequest("This sign-in has ended. Go back to the application and start again.");

const endedWhenLost = (error: unknown): never => {
  throw error instanceof errors.SessionNotFound ? ended() : error;
};

/** What forms of an interaction, and ceremonies in it, are bound to. */
export const interactionOf = ({ params }: PageRequest): string => `interaction ${params?.uid}`;
