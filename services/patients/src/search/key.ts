/** What of a resource is kept to be searched, and what a filter over it looks like. */
import type { TimeSpan } from "./time-span.ts";

/** A span of time under a parameter's code. */
export type DateKey = TimeSpan & { code: string };

export type SearchKeys = { tokens: string[]; strings: string[]; dates: DateKey[] };

/** A filter that was built here from checked text: no part of it is the client's own object. */
export type SearchFilter = Record<string, unknown>;
