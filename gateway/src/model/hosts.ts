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
  /** The host of before, if it is the same. */
  keep(place: string, host: Host): Host;
}

/** Remembers the hosts of the last model. */
export interface HostKeeper extends Pick<HostsContext, "keep"> {
  readonly kept: ReadonlyMap<string, Host>;
}

export function createHostKeeper(last?: HostKeeper): HostKeeper {
  const kept = new Map<string, Host>();
  return {
    kept,
    keep(place, host) {
      const before = last?.kept.get(place);
      const isKnown =
        before !== undefined &&
        before.isMisdirected === host.isMisdirected &&
        isSame(before.routes, host.routes);
      kept.set(place, isKnown ? before : host);
      return isKnown ? before : host;
    },
  };
}

/**
 * A request belongs to the most specific listener that covers its hostname, and to no other
 * (listener isolation); within it the routes of the most specific hostname come first. On a
 * connection that was made for one listener (`only`), a hostname of another one is misdirected.
 */
export function hostsOn(server: string, context: HostsContext, only?: string): Host[] {
  const { listenerHostnames, attachments } = context;
  const keep = (host: Host) => context.keep(`${server} ${host.hostname}`, host);
  const listeners = new Set(listenerHostnames);
  const byHostname = groupByHostname(
    attachments.filter(({ listener }) => only === undefined || listener.hostname === only),
  );
  const hostnames = new Set([ANY_HOST, ...listeners, ...byHostname.keys()]);
  return [...hostnames].sort(compareText).map((hostname): Host => {
    const owner = coverers(hostname).find((one) => listeners.has(one));
    if (only !== undefined && owner !== only) {
      return keep({ hostname, routes: [], isMisdirected: true });
    }
    const seen = new Set<Attachment>();
    const routes = coverers(hostname).flatMap((covering) => {
      const fresh = (byHostname.get(covering) ?? []).filter(
        (attachment) => attachment.listener.hostname === owner && !seen.has(attachment),
      );
      for (const attachment of fresh) {
        seen.add(attachment);
      }
      return context.compile(fresh);
    });
    return keep({ hostname, routes });
  });
}

function groupByHostname(attachments: readonly Attachment[]): Map<string, Attachment[]> {
  const byHostname = new Map<string, Attachment[]>();
  for (const attachment of attachments) {
    for (const hostname of attachment.hostnames) {
      const group = byHostname.get(hostname) ?? [];
      group.push(attachment);
      byHostname.set(hostname, group);
    }
  }
  return byHostname;
}
