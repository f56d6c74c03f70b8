import { createHash } from "node:crypto";

/** A key for Redis, which so keeps no address of anybody, and is as long as any other. */
export const keyOf = (...parts: string[]): string =>
  createHash("sha256").update(JSON.stringify(parts)).digest("base64url");
