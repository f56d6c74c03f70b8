import type { Logger } from "@portico/service-kit";
import type { EventHandler } from "@portico/service-kit/events";
import type { CurrentProvider } from "../oidc/current-provider.ts";
import { ClientSignedOut, type TellingClient } from "./announce-sign-out.ts";

/** Longer than that the client's own session has hardly lasted; then it is told no more. */
const giveUpAfterMs = 60 * 60 * 1000;
/** A client that just did not answer is not waited for again so soon: others are waiting to be told. */
const restMs = 5_000;

/**
 * Sends the logout token; the library waits two and a half seconds for the answer. What failed is tried
 * again, after pauses that grow to a minute, by whichever instance of auth gets the event next.
 */
export function tellClientWith(
  currentProvider: CurrentProvider,
  logger: Logger,
  now: () => number = Date.now,
): EventHandler {
  const restingUntil = new Map<string, number>();

  const tell = async ({ clientId, accountId, sid }: ClientSignedOut) => {
    const client = (await currentProvider().Client.find(clientId)) as TellingClient | undefined;
    // Deleted or changed since: there is nobody to tell.
    if (!client?.backchannelLogoutUri) return;
    if ((restingUntil.get(clientId) ?? 0) > now()) throw new Error("It did not answer just now.");
    try {
      await client.sendLogoutToken(accountId, sid);
      restingUntil.delete(clientId);
    } catch (error) {
      restingUntil.set(clientId, now() + restMs);
      throw error;
    }
  };

  return async (event) => {
    const signedOut = ClientSignedOut.parse(event.data);
    try {
      await tell(signedOut);
    } catch (error) {
      if (now() - Date.parse(event.time) < giveUpAfterMs) throw error;
      logger.warn("logout.undelivered", { clientId: signedOut.clientId, error });
    }
  };
}
