/** Hostnames as the Gateway API compares them. `*` stands for a listener or route that names none. */

export const ANY_HOST = "*";

/** The hostname itself, then every wildcard that covers it, from most to least specific. */
export function coverers(hostname: string): string[] {
  if (hostname === ANY_HOST) {
    return [ANY_HOST];
  }
  const labels = hostname.split(".");
  const wildcards = labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join(".")}`);
  return [...new Set([hostname, ...wildcards, ANY_HOST])];
}

/** The narrower of two hostnames when one covers the other. */
export function intersection(one: string, other: string): string | undefined {
  if (coverers(one).includes(other)) {
    return one;
  }
  return coverers(other).includes(one) ? other : undefined;
}
