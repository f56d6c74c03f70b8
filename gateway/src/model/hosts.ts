import type { Attachment } from "./attachments.ts";
import { ANY_HOST, coverers } from "./hostnames.ts";
import type { Access, Host, Route } from "./model.ts";
import { compareText } from "./precedence.ts";

/** The hosts of one port, and which routes each of them has. */
export interface HostsContext {
  /** Of the listeners that share the port. */
  readonly listenerHostnames: readonly string[];
  readonly attachments: readonly Attachment[];
  compile(attachments: readonly Attachment[]): Route[];
  readonly unmatched: Access;
}

/**
 * A request belongs to the most specific listener that covers its hostname, and to no other
 * (listener isolation); within it the routes of the most specific hostname come first. On a
 * connection that was made for one listener (`only`), a hostname of another one is misdirected.
 */
export function hostsOn(context: HostsContext, only?: string): Host[] {
  const { listenerHostnames, attachments, unmatched } = context;
  const listeners = new Set(listenerHostnames);
  const byHostname = groupByHostname(
    attachments.filter(({ listener }) => only === undefined || listener.hostname === only),
  );
  const hostnames = new Set([ANY_HOST, ...listeners, ...byHostname.keys()]);
  return [...hostnames].sort(compareText).map((hostname): Host => {
    const owner = coverers(hostname).find((one) => listeners.has(one));
    if (only !== undefined && owner !== only) {
      return { hostname, routes: [], unmatched, isMisdirected: true };
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
    return { hostname, routes, unmatched };
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
