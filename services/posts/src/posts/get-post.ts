import { endpoint, notFound, permits } from "@portico/service-kit";
import { z } from "zod";
import { Post, PostId } from "./post.ts";
import type { PostStore } from "./post-store.ts";

/** Reads one post. */
export const getPost = (posts: PostStore) =>
  endpoint({
    method: "get",
    path: "/posts/:postId",
    summary: "Read a post",
    guard: permits("posts:read"),
    params: z.object({ postId: PostId }),
    reply: { status: 200, body: Post },
    problems: [notFound],

    async handle({ params }) {
      const post = await posts.find(params.postId);
      if (!post) throw notFound("There is no such post.");
      return post;
    },
  });
