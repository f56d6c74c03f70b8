/** A client as administrators see it, and as the protocol library reads it. */
import { z } from "zod";
import type { ClientMetadata } from "./client.ts";
import { Registration } from "./registration.ts";

export type Client = {
  id: string;
  registration: Registration;
  disabled: boolean;
  createdAt: Date;
  /** Raised by each change, so that of two at once one is told of the other. */
  revision: number;
};

/** What is answered of it: never a secret. */
export const ClientView = z
  .object({
    client_id: z.string(),
    client_id_issued_at: z.int().meta({ description: "Seconds since 1970" }),
    ...Registration.shape,
    disabled: z
      .boolean()
      .meta({ description: "It gets no token, and those that it got are refused" }),
  })
  .meta({ id: "Client" });

export const toView = ({ id, registration, disabled, createdAt }: Client) => ({
  client_id: id,
  client_id_issued_at: Math.floor(createdAt.getTime() / 1000),
  ...registration,
  disabled,
});

/** Once, to whoever registers the client or changes its secret. */
export const IssuedSecret = z.object({
  client_secret: z.string().meta({ description: "Shown once: only its hash is kept" }),
  client_secret_expires_at: z.literal(0).meta({ description: "Never (RFC 7591 section 3.2.1)" }),
});

export const toMetadata = (id: string, registration: Registration): ClientMetadata => ({
  client_id: id,
  ...registration,
  // The one response type that there is, for the one grant that uses it.
  response_types: registration.grant_types.includes("authorization_code") ? ["code"] : [],
});

/** The seed writes no more than the protocol library needs to know: the rest is as it would assume. */
export const fromMetadata = (metadata: ClientMetadata): Registration =>
  z.object(Registration.shape).parse({ client_name: metadata.client_id, ...metadata });

const secretFields = [
  "client_secret",
  "previous_client_secret",
  "previous_client_secret_expires_at",
] as const;

export const secretsOf = (metadata: ClientMetadata): Partial<ClientMetadata> =>
  Object.fromEntries(
    secretFields.flatMap((field) =>
      metadata[field] === undefined ? [] : [[field, metadata[field]]],
    ),
  );
