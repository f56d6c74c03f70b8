import type { EndpointSlice } from "../snapshot/core.ts";
import { keyOf } from "../snapshot/metadata.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { Backend, Endpoint } from "./model.ts";
import { compareText } from "./precedence.ts";
import type { BackendPlan, Visit } from "./references.ts";
import { createMemory } from "./remember.ts";

/** By `namespace/name` of their Service. */
export type EndpointSlices = ReadonlyMap<string, readonly EndpointSlice[]>;

export function slicesByService({ endpointSlices }: Snapshot): EndpointSlices {
  return Map.groupBy(endpointSlices, ({ metadata: { namespace, labels } }) =>
    keyOf({ namespace, name: labels["kubernetes.io/service-name"] ?? "" }),
  );
}

const memory = createMemory<Backend>();

/** Each backend once, with the ready endpoints of its Service, in the order of their names. */
export function backendsOf(visits: readonly Visit[], slices: EndpointSlices): Backend[] {
  const byName = new Map<string, BackendPlan>();
  for (const { backend } of visits) {
    if (backend) {
      byName.set(backend.name, backend);
    }
  }
  return [...byName.values()]
    .sort((a, b) => compareText(a.name, b.name))
    .map((plan) => {
      const own = slices.get(plan.service) ?? [];
      return memory(plan, own, () => withEndpoints(plan, own));
    });
}

function withEndpoints(plan: BackendPlan, slices: readonly EndpointSlice[]): Backend {
  const { service: _, portName, name, ...settings } = plan;
  return { name, endpoints: endpointsOf(slices, portName), ...settings };
}

/**
 * The ready ones. While there are none, those that are on their way out and serve still (KEP-1669): when
 * the last pods of a Service are replaced, they answer until the first new one does.
 */
function endpointsOf(slices: readonly EndpointSlice[], portName: string): Endpoint[] {
  const ready = endpointsWhere(slices, portName, ({ ready }) => ready !== false);
  return ready.length > 0
    ? ready
    : endpointsWhere(slices, portName, ({ serving }) => serving === true);
}

type Conditions = NonNullable<NonNullable<EndpointSlice["endpoints"]>[number]["conditions"]>;

/** Slices name their ports as the Service does; an endpoint that says nothing is ready. */
function endpointsWhere(
  slices: readonly EndpointSlice[],
  portName: string,
  isWanted: (conditions: Conditions) => boolean,
): Endpoint[] {
  const endpoints = new Map<string, Endpoint>();
  for (const slice of slices) {
    const port = slice.ports?.find((port) => (port.name ?? "") === portName)?.port;
    if (slice.addressType === "FQDN" || port === undefined || port === null) {
      continue;
    }
    for (const { addresses, conditions } of slice.endpoints ?? []) {
      const [address] = addresses;
      if (address !== undefined && isWanted(conditions ?? {})) {
        endpoints.set(`${address} ${port}`, { address, port });
      }
    }
  }
  return [...endpoints.entries()].sort(([a], [b]) => compareText(a, b)).map(([, one]) => one);
}
