/** Hostnames as the Gateway API compares them. `*` stands for a listener or route that names none. */

export const ANY_HOST = "*";

/** The hostname itself, then every wildcard that covers it, from most to least specific. */
export function coverers(hostname: string): string[] {
  if (hostname === ANY_HOST) {
    return [ANY_HOST];
  }
  const wildcards: string[] = [];
  for (let dot = hostname.indexOf("."); dot !== -1; dot = hostname.indexOf(".", dot + 1)) {
    const wildcard = `*${hostname.slice(dot)}`;
    if (wildcard !== hostname) {
      wildcards.push(wildcard);
    }
  }
  return [hostname, ...wildcards, ANY_HOST];
}

/** The narrower of two hostnames when one covers the other. */
export function intersection(one: string, other: string): string | undefined {
  if (coverers(one).includes(other)) {
    return one;
  }
  return coverers(other).includes(one) ? other : undefined;
}
