import { answerPage, endpoint, PageQuery, pageOf, permits, toPage } from "@portico/service-kit";
import { Post } from "./post.ts";
import { keyOf, positionOf } from "./post-cursor.ts";
import type { PostStore } from "./post-store.ts";

/** Lists posts, newest first; stable while posts are added. */
export const listPosts = (posts: PostStore) =>
  endpoint({
    method: "get",
    path: "/posts",
    summary: "List posts, newest first",
    guard: permits("posts:read"),
    query: PageQuery,
    reply: { status: 200, body: pageOf(Post), headers: { Link: 'The next page, `rel="next"`' } },

    async handle({ query: { limit, after }, url }) {
      const found = await posts.list(limit + 1, after ? positionOf(after) : undefined);
      return answerPage(toPage(found, limit, keyOf), url);
    },
  });
