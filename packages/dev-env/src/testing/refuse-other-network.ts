import dns from "node:dns";
import { syncBuiltinESMExports } from "node:module";
import { isIP, Socket } from "node:net";

/**
 * Makes every connection that would leave this machine throw, so that a test cannot reach a third party by mistake and
 * passes on a machine without network. Returns how to undo it.
 */
export function refuseOtherNetwork(): () => void {
  const { connect } = Socket.prototype;
  const { lookup } = dns;
  const lookupPromise = dns.promises.lookup;

  Socket.prototype.connect = function guardedConnect(this: Socket, ...args: unknown[]) {
    refuseUnlessLoopback(hostOf(args));
    return Reflect.apply(connect, this, args);
  } as typeof connect;
  dns.lookup = Object.assign(function guardedLookup(host: string, ...rest: unknown[]) {
    refuseUnlessLoopback(host);
    return Reflect.apply(lookup, dns, [host, ...rest]);
  }, lookup) as typeof lookup;
  dns.promises.lookup = async function guardedLookup(host: string, ...rest: unknown[]) {
    refuseUnlessLoopback(host);
    return Reflect.apply(lookupPromise, dns.promises, [host, ...rest]);
  } as typeof lookupPromise;
  syncBuiltinESMExports();

  return () => {
    Socket.prototype.connect = connect;
    dns.lookup = lookup;
    dns.promises.lookup = lookupPromise;
    syncBuiltinESMExports();
  };
}

function refuseUnlessLoopback(host: string | undefined): void {
  if (host === undefined || isLoopback(host)) return;
  throw new Error(`Tests reach this machine only; something connects to ${host}.`);
}

export function isLoopback(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, "").toLowerCase();
  if (isIP(address) === 4) return address.startsWith("127.");
  if (isIP(address) === 6) return address === "::1" || address.startsWith("::ffff:127.");
  return address === "localhost" || address.endsWith(".localhost");
}

/**
 * connect(port, host), connect(path) and connect(options), the latter also wrapped in an array by node:net itself.
 * Undefined means this machine: no host given, or a local socket.
 */
function hostOf(args: unknown[]): string | undefined {
  const [first, second] = args;
  const options = Array.isArray(first) ? first[0] : first;
  if (typeof options === "object" && options !== null) {
    const { host, path } = options as { host?: string | null; path?: string | null };
    return path ? undefined : (host ?? undefined);
  }
  return isPort(options) && typeof second === "string" ? second : undefined;
}

const isPort = (value: unknown) => typeof value === "number" || /^\d+$/.test(String(value));
