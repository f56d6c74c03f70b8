import {
  answerPage,
  decodeCursor,
  endpoint,
  PageQuery,
  pageOf,
  permits,
  toPage,
} from "@portico/service-kit";
import { z } from "zod";
import { Post } from "./post.ts";
import type { PostStore } from "./post-store.ts";

const Cursor = z.tuple([z.iso.datetime(), z.uuid()]);

/** Lists posts, newest first; stable while posts are added. */
export const listPosts = (posts: PostStore) =>
  endpoint({
    method: "get",
    path: "/posts",
    summary: "List posts, newest first",
    guard: permits("posts:read"),
    query: PageQuery,
    reply: { status: 200, body: pageOf(Post), headers: { Link: 'The next page, `rel="next"`' } },

    async handle({ query, url }) {
      const found = await posts.list(
        query.limit + 1,
        query.after ? positionOf(query.after) : undefined,
      );
      return answerPage(
        toPage(found, query.limit, (post) => [post.createdAt, post.id]),
        url,
      );
    },
  });

const positionOf = (cursor: string) => {
  const [createdAt, id] = decodeCursor(cursor, Cursor);
  return { createdAt: new Date(createdAt), id };
};
