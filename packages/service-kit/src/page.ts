/**
 * Lists are paged by cursor: the position after the last item, opaque to the client, stable while
 * items are added. `GET /posts?limit=20&after=…` -> `{ items, nextCursor }` and a `Link` header (RFC 8288).
 */
import { z } from "zod";
import { type Answer, answer } from "./endpoint.ts";
import { invalidRequest } from "./problem.ts";

/** The query fields of every list. */
export const PageQuery = z.object({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(100)
    .default(20)
    .meta({ description: "Most items to answer" }),
  after: z
    .string()
    .min(1)
    .max(512)
    .optional()
    .meta({ description: "`nextCursor` of the page before" }),
});

export type Page<T> = { items: T[]; nextCursor: string | null };

export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().meta({ description: "null on the last page" }),
  });

/** A cursor from the sort key of the last item. */
export const encodeCursor = (key: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(key)).toString("base64url");

/** A cursor's sort key, checked by `key`; 400 when it is not one of ours. */
export function decodeCursor<T extends z.ZodType>(cursor: string, key: T): z.output<T> {
  const parsed = key.safeParse(parseCursor(cursor));
  if (parsed.success) return parsed.data;
  throw invalidRequest(undefined, {
    errors: [{ in: "query", field: "after", detail: "Not a cursor of this list." }],
  });
}

const parseCursor = (cursor: string): unknown => {
  try {
    return JSON.parse(Buffer.from(cursor, "base64url").toString());
  } catch {
    // Not JSON: refused by the caller's schema like any other wrong cursor.
    return undefined;
  }
};

/**
 * Makes a page of one item more than was asked for: the extra one only tells that there is a next page.
 * @param keyOf the sort key of an item
 */
export function toPage<T>(
  found: readonly T[],
  limit: number,
  keyOf: (item: T) => readonly (string | number)[],
): Page<T> {
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: found.length > limit && last ? encodeCursor(keyOf(last)) : null };
}

/** A page with its `Link: <…>; rel="next"` header. `url` is the request's own. */
export function answerPage<T>(page: Page<T>, url: string): Answer<Page<T>> {
  if (!page.nextCursor) return answer(page);
  const next = new URL(url, "http://gateway");
  next.searchParams.set("after", page.nextCursor);
  return answer(page, { headers: { Link: `<${next.pathname}${next.search}>; rel="next"` } });
}
