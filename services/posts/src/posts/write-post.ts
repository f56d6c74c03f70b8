import { randomUUID } from "node:crypto";
import { answer, endpoint, permits } from "@portico/service-kit";
import { z } from "zod";
import { Post, PostText } from "./post.ts";
import type { PostStore } from "./post-store.ts";

/** Writes a post. Answers it with its place (`Location`). */
export const writePost = (posts: PostStore) =>
  endpoint({
    method: "post",
    path: "/posts",
    summary: "Write a post",
    guard: permits("posts:write", { verified: true }),
    body: z.object({ text: PostText }),
    reply: { status: 201, body: Post, headers: { Location: "Path of the post" } },

    async handle({ caller, body }) {
      const post = await posts.create({
        id: randomUUID(),
        authorId: caller.subject,
        text: body.text,
        createdAt: new Date(),
      });
      return answer(post, { headers: { Location: `/posts/${post.id}` } });
    },
  });
