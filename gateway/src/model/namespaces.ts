import type { LabelSelector, NamespaceRule } from "../snapshot/gateway.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";

/** Which namespaces a Gateway lets in: for its routes, and for ListenerSets. */
export interface Namespaces {
  allows(rule: NamespaceRule, own: string, other: string): boolean;
}

/** Every namespace has it on a cluster, and so it has where nobody wrote a Namespace down. */
const NAME_LABEL = "kubernetes.io/metadata.name";

export function readNamespaces(snapshot: Snapshot): Namespaces {
  const labels = new Map(
    snapshot.namespaces.map(({ metadata }) => [metadata.name, metadata.labels]),
  );
  return {
    allows({ from, selector }, own, other) {
      if (from === "All" || from === "None") {
        return from === "All";
      }
      if (from === "Same") {
        return own === other;
      }
      return (
        selector !== undefined && selects(selector, { [NAME_LABEL]: other, ...labels.get(other) })
      );
    },
  };
}

function selects(
  { matchLabels, matchExpressions }: LabelSelector,
  labels: Readonly<Record<string, string>>,
): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every((requirement) => holdsFor(requirement, labels[requirement.key]))
  );
}

function holdsFor(
  { operator, values }: LabelSelector["matchExpressions"][number],
  value: string | undefined,
): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
  }
}
