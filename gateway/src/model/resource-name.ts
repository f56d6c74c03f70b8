import { createHash } from "node:crypto";

const LONGEST = 180;

/**
 * A name for Envoy's resources and their files: parts that Kubernetes names, joined by what no such
 * name holds. Where it would be longer than a file may be named, a hash stands for the rest.
 */
export function resourceName(...parts: readonly (string | number)[]): string {
  const name = parts.join("_");
  if (name.length <= LONGEST) {
    return name;
  }
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 16);
  return `${name.slice(0, LONGEST)}_${hash}`;
}
