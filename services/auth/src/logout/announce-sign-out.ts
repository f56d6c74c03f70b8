/**
 * Back-channel logout (OpenID Connect Back-Channel Logout 1.0): a client that signed somebody in is told
 * when that session ends. First it is only noted, as an event in the outbox, so that nobody who signs out
 * waits for a client that is slow or dead, and none is forgotten when auth dies; telling is tell-client.ts.
 */
import type { EventToSend, Outbox } from "@portico/service-kit/events";
import type { Client, Provider } from "oidc-provider";
import { z } from "zod";

export const ClientSignedOut = z.object({
  clientId: z.string(),
  accountId: z.string(),
  /** Of the session, as the client's ID token named it. */
  sid: z.string().optional(),
});

export type ClientSignedOut = z.output<typeof ClientSignedOut>;

export const clientSignedOut = (data: ClientSignedOut): EventToSend => ({
  type: "client-signed-out",
  subject: data.accountId,
  data,
});

/** What the library does by itself, kept under another name: it makes the logout token, and sends it. */
export type TellingClient = Client & {
  sendLogoutToken(accountId: string, sid: string | undefined): Promise<void>;
};

/** Lets the library's own sign-out note the clients that it would call. */
export function noteSignOuts(provider: Provider, outbox: Pick<Outbox, "transaction">): void {
  const { prototype } = provider.Client;
  Object.defineProperties(prototype, {
    sendLogoutToken: { value: prototype.backchannelLogout },
    backchannelLogout: {
      value(this: Client, accountId: string, sid: string | undefined) {
        const event = clientSignedOut({ clientId: this.clientId, accountId, sid });
        return outbox.transaction((_session, emit) => emit(event));
      },
    },
  });
}
