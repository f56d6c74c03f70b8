/**
 * What FHIR's definitions cannot say about a body, checked before anything recurses into it: how
 * deep it goes, and that no key means something to JavaScript or to MongoDB.
 */
import type { Issue } from "../outcomes/issue.ts";

/** Far below MongoDB's 100, far above any resource that people wrote. */
const deepest = 40;

/** `$where`, `a.b`, and what every object inherits: `__proto__`, `constructor`, `valueOf`. */
const isHarmful = (key: string): boolean =>
  key.startsWith("$") || key.includes(".") || key in Object.prototype;

type Node = { value: unknown; path: string; depth: number };

const childrenOf = ({ value, path, depth }: Node): Node[] =>
  Array.isArray(value)
    ? value.map((item, index) => ({ value: item, path: `${path}[${index}]`, depth: depth + 1 }))
    : Object.entries(value as object).map(([key, item]) => ({
        value: item,
        path: `${path}.${key}`,
        depth: depth + 1,
      }));

function check({ value, path, depth }: Node): Issue | undefined {
  if (depth > deepest) return { code: "structure", text: "Nested too deeply." };
  if (typeof value === "string" && !value.isWellFormed()) {
    return { code: "value", text: "Not well-formed Unicode.", expression: path };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  // Its own name may not be said in a path, so the element that holds it is named.
  return Object.keys(value).some(isHarmful)
    ? { code: "structure", text: "A property of this element is not known.", expression: path }
    : undefined;
}

/** The first thing that is wrong with the shape of a resource; without recursion. */
export function findBadShape(resource: unknown, type: string): Issue | undefined {
  const open: Node[] = [{ value: resource, path: type, depth: 0 }];
  for (let node = open.pop(); node; node = open.pop()) {
    const issue = check(node);
    if (issue) return issue;
    if (typeof node.value === "object" && node.value !== null) open.push(...childrenOf(node));
  }
  return undefined;
}
