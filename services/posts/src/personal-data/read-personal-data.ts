import { answerPage, endpoint, PageQuery, pageOf, permits, toPage } from "@portico/service-kit";
import { Post } from "../posts/post.ts";
import { keyOf, positionOf } from "../posts/post-cursor.ts";
import type { PostStore } from "../posts/post-store.ts";

/** What posts holds of the caller. For auth alone, which collects a person's export: no client gets the scope. */
export const readPersonalData = (posts: PostStore) =>
  endpoint({
    method: "get",
    path: "/posts/personal-data",
    summary: "Read everything that is held of the caller",
    guard: permits("personal-data:read"),
    query: PageQuery,
    reply: { status: 200, body: pageOf(Post), headers: { Link: 'The next page, `rel="next"`' } },

    async handle({ caller, query: { limit, after }, url }) {
      const position = after ? positionOf(after) : undefined;
      const found = await posts.listOf(caller.subject, limit + 1, position);
      return answerPage(toPage(found, limit, keyOf), url);
    },
  });
