import { isIPv6 } from "node:net";

/**
 * Where a request comes from, as far as it is one place: an IPv4 address, or the /64 of an IPv6 one,
 * within which whoever has one address has them all (RFC 6177).
 */
export function placeOf(address: string): string {
  const [bare = ""] = address.split("%");
  const inIpv6 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1];
  if (inIpv6) return inIpv6;
  return isIPv6(bare) ? `${networkOf(bare)}::/64` : bare;
}

/** The first four of eight groups, in one spelling (RFC 5952). */
function networkOf(ipv6: string): string {
  const canonical = new URL(`http://[${ipv6}]`).hostname.slice(1, -1);
  const [head = "", tail] = canonical.split("::");
  const groups = head.split(":").filter(Boolean);
  const after = tail?.split(":").filter(Boolean) ?? [];
  const zeros = Array.from({ length: 8 - groups.length - after.length }, () => "0");
  return [...groups, ...zeros, ...after].slice(0, 4).join(":");
}
