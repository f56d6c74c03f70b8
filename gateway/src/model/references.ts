import type { EndpointSlice, Service } from "../snapshot/core.ts";
import type { BackendRef } from "../snapshot/gateway-api.ts";
import { keyOf } from "../snapshot/metadata.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { Backend, Endpoint } from "./model.ts";
import { compareText } from "./precedence.ts";
import type { Refusal } from "./verdict.ts";

/** Follows backendRefs to Services and their ready endpoints, across namespaces only when granted. */
export interface References {
  resolve(ref: BackendRef, from: Referrer): Resolved | Refusal;
  /** Every backend that was resolved, each once, in the order of their names. */
  backends(): Backend[];
}

export interface Referrer {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
}

export interface Resolved {
  readonly backend: Backend;
  /** `service.namespace.svc:port`, what a request from the gateway itself has as its Host. */
  readonly authority: string;
}

export function isRefusal(outcome: Resolved | Refusal): outcome is Refusal {
  return "reason" in outcome;
}

export function followReferences(snapshot: Snapshot): References {
  const services = new Map(snapshot.services.map((service) => [keyOf(service.metadata), service]));
  const slices = Map.groupBy(snapshot.endpointSlices, ({ metadata }) =>
    keyOf({
      namespace: metadata.namespace,
      name: metadata.labels["kubernetes.io/service-name"] ?? "",
    }),
  );
  const resolved = new Map<string, Backend>();

  return {
    resolve(ref, from) {
      if (ref.group !== "" || ref.kind !== "Service") {
        return { reason: "InvalidKind", message: `${ref.kind} is not a backend; name a Service` };
      }
      const namespace = ref.namespace ?? from.namespace;
      const key = keyOf({ namespace, name: ref.name });
      if (namespace !== from.namespace && !isGranted(snapshot, from, namespace, ref.name)) {
        return {
          reason: "RefNotPermitted",
          message: `no ReferenceGrant in ${namespace} lets ${from.kind} of ${from.namespace} use Service ${key}`,
        };
      }
      const service = services.get(key);
      if (!service) {
        return { reason: "BackendNotFound", message: `there is no Service ${key}` };
      }
      const port = service.spec.ports.find((port) => port.port === ref.port);
      if (!port || service.spec.type === "ExternalName") {
        return { reason: "BackendNotFound", message: describePorts(service, key, ref.port) };
      }
      const name = `${namespace}_${ref.name}_${port.port}`;
      const backend = resolved.get(name) ?? {
        name,
        endpoints: endpointsOf(slices.get(key) ?? [], port.name ?? ""),
      };
      resolved.set(name, backend);
      return { backend, authority: `${ref.name}.${namespace}.svc:${port.port}` };
    },

    backends: () => [...resolved.values()].sort((a, b) => compareText(a.name, b.name)),
  };
}

function describePorts(service: Service, key: string, port: number | undefined): string {
  if (service.spec.type === "ExternalName") {
    return `Service ${key} is an ExternalName, which has no endpoints`;
  }
  const ports = service.spec.ports.map((port) => port.port).join(", ") || "none";
  return `Service ${key} has no port ${port ?? "(none named)"}; its ports: ${ports}`;
}

function isGranted(snapshot: Snapshot, from: Referrer, namespace: string, service: string) {
  return snapshot.referenceGrants.some(
    ({ metadata, spec }) =>
      metadata.namespace === namespace &&
      spec.from.some(
        (grant) =>
          grant.group === from.group &&
          grant.kind === from.kind &&
          grant.namespace === from.namespace,
      ) &&
      spec.to.some(
        (grant) =>
          grant.group === "" &&
          grant.kind === "Service" &&
          (grant.name === undefined || grant.name === service),
      ),
  );
}

/** Slices name their ports as the Service does; an endpoint that says nothing is ready. */
function endpointsOf(slices: readonly EndpointSlice[], portName: string): Endpoint[] {
  const endpoints = new Map<string, Endpoint>();
  for (const slice of slices) {
    const port = slice.ports?.find((port) => (port.name ?? "") === portName)?.port;
    if (slice.addressType === "FQDN" || port === undefined || port === null) {
      continue;
    }
    for (const { addresses, conditions } of slice.endpoints ?? []) {
      const [address] = addresses;
      if (address !== undefined && conditions?.ready !== false) {
        endpoints.set(`${address} ${port}`, { address, port });
      }
    }
  }
  return [...endpoints.entries()].sort(([a], [b]) => compareText(a, b)).map(([, one]) => one);
}
