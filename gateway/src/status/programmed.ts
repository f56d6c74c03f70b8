import type { Listener } from "../model/model.ts";
import type { Address, Condition, Verdict } from "../model/verdict.ts";
import { fails } from "../model/verdict.ts";
import type { Reception } from "../publish/handover.ts";

/**
 * The model says what is handed to Envoy; this adds what became of it. A Gateway is programmed when
 * Envoy has taken its configuration and clients have an address to reach it at.
 */
export interface Facts {
  readonly reception: Pick<Reception, "refused" | "pending">;
  readonly listeners: readonly Listener[];
  /** Undefined where Gateways have no address but the machine's. */
  readonly addressesOf?: (gateway: string) => readonly Address[];
}

export function asProgrammed(verdicts: readonly Verdict[], facts: Facts): readonly Verdict[] {
  return verdicts.map((verdict) => {
    if (verdict.object.kind !== "Gateway") {
      return verdict;
    }
    const { namespace, name } = verdict.object;
    const addresses = facts.addressesOf?.(`${namespace}/${name}`);
    const obstacle = obstacleOf(verdict, facts, addresses);
    return {
      ...verdict,
      ...(verdict.listener === undefined && addresses && { addresses }),
      conditions: obstacle ? verdict.conditions.map(unlessFailed(obstacle)) : verdict.conditions,
    };
  });
}

function unlessFailed(obstacle: Condition) {
  return (condition: Condition) =>
    condition.type === "Programmed" && condition.status === "True" ? obstacle : condition;
}

function obstacleOf(
  { object }: Verdict,
  { reception, listeners }: Facts,
  addresses: readonly Address[] | undefined,
): Condition | undefined {
  const own = listeners.filter(
    ({ gateway }) => gateway.namespace === object.namespace && gateway.name === object.name,
  );
  const refused = reception.refused.find((file) => concerns(file, own, listeners));
  if (refused) {
    const message = `Envoy keeps what it had before: ${refused.message}`;
    return fails("Programmed", { reason: "Invalid", message });
  }
  if (reception.pending.some((file) => concerns({ ...file, message: "" }, own, listeners))) {
    const message = "Envoy has not taken this version yet";
    return fails("Programmed", { reason: "Pending", message });
  }
  if (addresses?.length === 0) {
    const message = "its Service has no address yet";
    return fails("Programmed", { reason: "AddressNotAssigned", message });
  }
  return undefined;
}

/** Routes have a file for each listener; what else is refused concerns those it names, or all. */
function concerns(
  {
    kind,
    name,
    message,
  }: { readonly kind: string; readonly name: string; readonly message: string },
  own: readonly Listener[],
  all: readonly Listener[],
): boolean {
  if (kind === "routes") {
    return own.some(({ servers }) => servers.some((server) => server.name === name));
  }
  const named = all.filter((listener) => message.includes(listener.name));
  return named.length === 0 || named.some((listener) => own.includes(listener));
}
