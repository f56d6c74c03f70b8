import type { BackendTLSPolicy } from "../snapshot/backend-tls-policy.ts";
import { GATEWAY_GROUP } from "../snapshot/gateway-api.ts";
import { keyOf, refOf } from "../snapshot/metadata.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { Certificates } from "./certificates.ts";
import type { BackendTls } from "./model.ts";
import { compareText, olderFirst } from "./precedence.ts";
import type { Visit } from "./references.ts";
import { type Condition, fails, holds, type Refusal, type Verdict } from "./verdict.ts";

/**
 * BackendTLSPolicy: which Services are spoken to by TLS. A policy that cannot be used is not as good
 * as none: its Service gets no request at all, rather than one that anybody might read.
 */
export interface BackendTlsPolicies {
  of(serviceKey: string, portName: string): BackendTls | "broken" | undefined;
  /** Of each policy, for each Gateway that leads to one of its Services. */
  verdicts(visits: Iterable<Visit>): Verdict[];
}

interface Applied {
  readonly policy: BackendTLSPolicy;
  readonly tls: BackendTls | "broken";
  readonly conditions: readonly Condition[];
}

export function resolveBackendTls(
  snapshot: Snapshot,
  certificates: Certificates,
): BackendTlsPolicies {
  const targets = targetsOf(snapshot, certificates);

  return {
    of(serviceKey, portName) {
      const ports = targets.get(serviceKey);
      if (!ports) {
        return undefined;
      }
      const applied = ports.get(portName) ?? ports.get("");
      return applied && (applied[0]?.tls ?? "broken");
    },

    verdicts(visits) {
      if (targets.size === 0) {
        return [];
      }
      const users = usersOf(visits);
      const told = new Map<string, Verdict>();
      for (const verdict of verdictsOn(targets, users)) {
        const key = `${keyOf(verdict.object)} ${verdict.parent?.namespace}/${verdict.parent?.name}`;
        // Of a policy with several targets, what went wrong on one of them.
        const isTold = told.get(key)?.conditions.some(({ status }) => status === "False");
        if (!isTold) {
          told.set(key, verdict);
        }
      }
      return [...told].sort(([a], [b]) => compareText(a, b)).map(([, verdict]) => verdict);
    },
  };
}

/** The Gateways, by the Services that they lead to. */
function usersOf(visits: Iterable<Visit>): ReadonlyMap<string, ReadonlySet<string>> {
  const users = new Map<string, Set<string>>();
  for (const { service, gateway } of visits) {
    if (gateway !== undefined) {
      users.set(service, (users.get(service) ?? new Set()).add(gateway));
    }
  }
  return users;
}

type Targets = ReadonlyMap<string, ReadonlyMap<string, readonly Applied[]>>;

/** By Service, then by name of a port; "" is for every other one. The first is the one that counts. */
function targetsOf(snapshot: Snapshot, certificates: Certificates): Targets {
  const targets = new Map<string, Map<string, Applied[]>>();
  const add = (namespace: string, name: string, sectionName = "", applied?: Applied) => {
    const key = keyOf({ namespace, name });
    const ports = targets.get(key) ?? new Map<string, Applied[]>();
    ports.set(sectionName, [...(ports.get(sectionName) ?? []), ...(applied ? [applied] : [])]);
    targets.set(key, ports);
  };
  // Of a policy that cannot be read nothing is applied, which is not the same as that there is none.
  for (const { object, services } of snapshot.rejections) {
    for (const { name, sectionName } of services ?? []) {
      add(object.namespace, name, sectionName);
    }
  }
  const policies = [...snapshot.backendTlsPolicies].sort((a, b) =>
    olderFirst(a.metadata, b.metadata),
  );
  for (const policy of policies) {
    const applied = apply(policy, certificates);
    for (const { group, kind, name, sectionName } of policy.spec.targetRefs) {
      if (group === "" && kind === "Service") {
        add(policy.metadata.namespace, name, sectionName, applied);
      }
    }
  }
  return targets;
}

function verdictsOn(targets: Targets, users: ReadonlyMap<string, ReadonlySet<string>>): Verdict[] {
  return [...targets].flatMap(([serviceKey, ports]) =>
    [...(users.get(serviceKey) ?? [])].flatMap((gatewayKey) =>
      [...ports.values()].flatMap((rivals) =>
        rivals.map((applied, place) => verdictOn(applied, place > 0, serviceKey, gatewayKey)),
      ),
    ),
  );
}

function verdictOn(
  { policy, conditions }: Applied,
  isConflicted: boolean,
  serviceKey: string,
  gatewayKey: string,
): Verdict {
  const [namespace = "", name = ""] = gatewayKey.split("/");
  const conflict = {
    reason: "Conflicted",
    message: `an older BackendTLSPolicy has Service ${serviceKey} already`,
  };
  return {
    object: refOf("BackendTLSPolicy", policy.metadata),
    generation: policy.metadata.generation,
    parent: { kind: "Gateway", namespace, name },
    conditions: isConflicted ? [fails("Accepted", conflict), ...conditions.slice(1)] : conditions,
  };
}

function apply(policy: BackendTLSPolicy, certificates: Certificates): Applied {
  const { caCertificateRefs, wellKnownCACertificates, hostname, subjectAltNames } =
    policy.spec.validation;
  const tls = {
    hostname,
    subjectAltNames: subjectAltNames.map((name) =>
      name.type === "Hostname"
        ? { type: "dns" as const, value: name.hostname }
        : { type: "uri" as const, value: name.uri },
    ),
  };
  if (caCertificateRefs.length === 0) {
    return wellKnownCACertificates === "System"
      ? {
          policy,
          tls: { ...tls, trust: certificates.systemTrust() },
          conditions: [holds("Accepted"), holds("ResolvedRefs")],
        }
      : broken(policy, {
          reason: "Invalid",
          message: `wellKnownCACertificates ${wellKnownCACertificates ?? "(none)"} are not known; use System, or caCertificateRefs`,
        });
  }
  const { name, refusal } = certificates.trust(caCertificateRefs, {
    group: GATEWAY_GROUP,
    kind: "BackendTLSPolicy",
    namespace: policy.metadata.namespace,
  });
  const unresolved = refusal && {
    ...refusal,
    reason: refusal.reason === "InvalidCACertificateKind" ? "InvalidKind" : refusal.reason,
  };
  const resolved = unresolved ? fails("ResolvedRefs", unresolved) : holds("ResolvedRefs");
  if (name === undefined) {
    const message = "no certificate to verify the Service by can be read";
    const none = fails("Accepted", { reason: "NoValidCACertificate", message });
    return { policy, tls: "broken", conditions: [none, resolved] };
  }
  return { policy, tls: { ...tls, trust: name }, conditions: [holds("Accepted"), resolved] };
}

function broken(policy: BackendTLSPolicy, refusal: Refusal): Applied {
  return {
    policy,
    tls: "broken",
    conditions: [fails("Accepted", refusal), holds("ResolvedRefs")],
  };
}
