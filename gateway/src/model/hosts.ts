import type { Attachment } from "./attachments.ts";
import { ANY_HOST, coverers } from "./hostnames.ts";
import type { Host, Route } from "./model.ts";
import { compareText } from "./precedence.ts";
import { isSame } from "./remember.ts";

/** The hosts of one port, and which routes each of them has. */
export interface HostsContext {
  /** Of the listeners that share the port. */
  readonly listenerHostnames: readonly string[];
  readonly attachments: readonly Attachment[];
  compile(attachments: readonly Attachment[]): Route[];
  /** Compiled from these, the same attachments are the same routes. */
  readonly from: readonly unknown[];
  /** The hosts of the last model, if they are remembered. */
  readonly memory: HostMemory;
}

/** By server, then by hostname. What a build does not use is forgotten. */
export type HostMemory = Map<string, ReadonlyMap<string, Remembered>>;

interface Remembered {
  /** The hostname itself, and the wildcards that cover it. */
  readonly covering: readonly string[];
  readonly groups: readonly (readonly Attachment[])[];
  readonly from: readonly unknown[];
  readonly host: Host;
}

/**
 * A request belongs to the most specific listener that covers its hostname, and to no other
 * (listener isolation); within it the routes of the most specific hostname come first. On a
 * connection that was made for one listener (`only`), a hostname of another one is misdirected.
 */
export function hostsOn(server: string, context: HostsContext, only?: string): Host[] {
  const { listenerHostnames, attachments, memory } = context;
  const listeners = new Set(listenerHostnames);
  const byHostname = groupByHostname(
    only === undefined
      ? attachments
      : attachments.filter(({ listener }) => listener.hostname === only),
  );
  const hostnames = new Set([ANY_HOST, ...listeners, ...byHostname.keys()]);
  const before = memory.get(server);
  const now = new Map<string, Remembered>();
  for (const hostname of [...hostnames].sort(compareText)) {
    const known = before?.get(hostname);
    const covering = known?.covering ?? coverers(hostname);
    const owner = covering.find((one) => listeners.has(one));
    const isMisdirected = only !== undefined && owner !== only;
    const groups = isMisdirected ? [] : takenOnce(covering, byHostname, owner);
    now.set(hostname, hostOf(hostname, { covering, groups, isMisdirected }, context, known));
  }
  memory.set(server, now);
  return [...now.values()].map(({ host }) => host);
}

function hostOf(
  hostname: string,
  found: Pick<Remembered, "covering" | "groups"> & { readonly isMisdirected: boolean },
  { compile, from }: HostsContext,
  known: Remembered | undefined,
): Remembered {
  const { covering, groups, isMisdirected } = found;
  const isFitting = known !== undefined && (known.host.isMisdirected ?? false) === isMisdirected;
  const hasSameGroups =
    isFitting &&
    known.groups.length === groups.length &&
    known.groups.every((group, index) => isSame(group, groups[index] ?? []));
  if (hasSameGroups && isSame(known.from, from)) {
    return known;
  }
  const routes = groups.flatMap(compile);
  const host =
    isFitting && isSame(known.host.routes, routes)
      ? known.host
      : { hostname, routes, ...(isMisdirected && { isMisdirected: true as const }) };
  return { covering, groups, from, host };
}

/** Of the listener that has the hostname, each once, where its most specific hostname puts it. */
function takenOnce(
  covering: readonly string[],
  byHostname: ReadonlyMap<string, readonly Attachment[]>,
  owner: string | undefined,
): Attachment[][] {
  const groups = covering.flatMap((one) => {
    const group = byHostname.get(one)?.filter(({ listener }) => listener.hostname === owner) ?? [];
    return group.length > 0 ? [group] : [];
  });
  if (groups.length < 2) {
    return groups;
  }
  const seen = new Set<Attachment>();
  return groups.map((group) => group.filter((one) => !seen.has(one) && seen.add(one)));
}

function groupByHostname(attachments: readonly Attachment[]): Map<string, Attachment[]> {
  const byHostname = new Map<string, Attachment[]>();
  for (const attachment of attachments) {
    for (const hostname of attachment.hostnames) {
      const group = byHostname.get(hostname);
      if (group) {
        group.push(attachment);
      } else {
        byHostname.set(hostname, [attachment]);
      }
    }
  }
  return byHostname;
}
