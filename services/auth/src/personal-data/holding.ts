/** What one folder of auth holds of people: told to them, and removed when they leave. */
import type { ClientSession } from "mongoose";

export type Holding = {
  /** Records about an account, in the words of its owner's export; never a secret, nor its hash. */
  read(accountId: string): Promise<readonly object[]>;
  /** In a transaction; again later, for what came in between. */
  remove(accountId: string, session: ClientSession): Promise<unknown>;
};

/** What the records are -> where they are. */
export type Holdings = Record<string, Holding>;

export async function removeAll(
  holdings: Holdings,
  accountId: string,
  session: ClientSession,
): Promise<void> {
  // One after the other: a transaction runs one operation at a time.
  for (const holding of Object.values(holdings)) await holding.remove(accountId, session);
}
