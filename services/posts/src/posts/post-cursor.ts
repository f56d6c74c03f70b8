/** Where a list of posts goes on. */
import { decodeCursor } from "@portico/service-kit";
import { z } from "zod";
import type { Post } from "./post.ts";
import type { PostPosition } from "./post-store.ts";

const Cursor = z.tuple([z.iso.datetime(), z.uuid()]);

export const keyOf = (post: Post) => [post.createdAt, post.id];

export const positionOf = (cursor: string): PostPosition => {
  const [createdAt, id] = decodeCursor(cursor, Cursor);
  return { createdAt: new Date(createdAt), id };
};
