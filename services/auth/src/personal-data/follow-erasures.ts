/** What keeps an erasure going until every service has confirmed it. */
import type { Logger } from "@portico/service-kit";
import {
  AccountErased,
  accountErasedType,
  type EventHandler,
  type Loop,
  type Outbox,
  onAccountErased,
  repeat,
} from "@portico/service-kit/events";
import { accountErased, type Holder, holders } from "./erasure.ts";
import type { ErasureStore } from "./erasure-store.ts";
import { type Holdings, removeAll } from "./holding.ts";

const everyMs = 5_000;

/** Asks the services at last, and again until they have answered. */
export const startAsking = (
  erasures: Pick<ErasureStore, "due" | "postpone">,
  outbox: Outbox,
  logger: Logger,
  now: () => Date = () => new Date(),
): Loop => {
  const ask = (accountId: string) =>
    outbox.transaction(async (session, emit) => {
      if (!(await erasures.postpone(accountId, now(), session))) return;
      await emit(accountErased({ accountId, final: true }));
    });

  const askAll = async () => {
    for (const accountId of await erasures.due(now())) await ask(accountId);
    return false;
  };
  return repeat(askAll, { everyMs, name: "erasures.ask", logger });
};

/** Of each service's answer, and of auth's own question, which auth answers like the others. */
export function erasureHandlers(
  erasures: Pick<ErasureStore, "answer">,
  holdings: Holdings,
  now: () => Date = () => new Date(),
): Record<string, EventHandler> {
  const note =
    (holder: Holder): EventHandler =>
    async (event, session) => {
      const { accountId, final } = AccountErased.parse(event.data);
      await erasures.answer(accountId, holder, final, now(), session);
    };
  const others = holders.filter((holder) => holder !== "auth");
  const answers = others.map((holder) => [
    `dev.portico.${holder}.${accountErasedType}`,
    note(holder),
  ]);

  return {
    ...Object.fromEntries(answers),
    async [onAccountErased](event, session) {
      const { accountId } = AccountErased.parse(event.data);
      await removeAll(holdings, accountId, session);
      await note("auth")(event, session);
    },
  };
}
