/** What makes a page hard to use for people who do not see it, or unsafe for everybody: WCAG 2.2, as far as the source tells. */
import type { Visit } from "@portico/dev-env";

const all = (body: string, pattern: RegExp): string[] =>
  [...body.matchAll(pattern)].map(([, found = ""]) => found);

const duplicates = (values: readonly string[]): string[] =>
  values.filter((value, index) => values.indexOf(value) !== index);

/** Nothing, for a page that is well. */
export function faultsOf({ body, headers }: Visit): string[] {
  const fields = all(body, /<(?:input|select|textarea)\b([^>]*)>/g).filter(
    (attributes) => !/type="hidden"|\shidden\b/.test(attributes),
  );
  const labels = new Set(all(body, /<label for="([^"]+)"/g));
  const ids = all(body, /\sid="([^"]+)"/g);
  const unlabelled = fields.filter(
    (attributes) => !labels.has(/\bid="([^"]+)"/.exec(attributes)?.[1] ?? ""),
  );
  const dangling = all(body, /aria-(?:describedby|labelledby)="([^"]+)"/g).filter(
    (id) => !ids.includes(id),
  );
  const levels = all(body, /<h([1-6])\b/g).map(Number);
  const policy = headers.get("content-security-policy") ?? "";
  return [
    ...unlabelled.map((attributes) => `a field without a label: ${attributes}`),
    ...duplicates(ids).map((id) => `an id twice: ${id}`),
    ...dangling.map((id) => `refers to no element: ${id}`),
    ...(levels.filter((level) => level === 1).length === 1 ? [] : ["not one main heading"]),
    ...(levels.some((level, index) => level > (levels[index - 1] ?? 0) + 1)
      ? ["a gap in headings"]
      : []),
    ...(body.includes('<html lang="en">') ? [] : ["no language"]),
    ...(/<title>[^<]+<\/title>/.test(body) ? [] : ["no title"]),
    ...(/<(?:style|iframe|object)\b|\sstyle="|\son\w+="|javascript:/.test(body)
      ? ["inline code or style"]
      : []),
    ...(policy.includes("default-src 'none'") ? [] : ["no content security policy"]),
    ...(policy.includes("unsafe") ? ["an unsafe policy"] : []),
    ...(policy.includes("frame-ancestors 'none'") ? [] : ["may be framed"]),
    ...(headers.get("referrer-policy") === "no-referrer" ? [] : ["tells where people come from"]),
  ];
}
