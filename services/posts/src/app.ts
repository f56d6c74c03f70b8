/** posts: what people write. The list of endpoints is the table of contents. */
import { type AppOptions, createApp } from "@portico/service-kit";
import { getPost } from "./posts/get-post.ts";
import { listPosts } from "./posts/list-posts.ts";
import type { PostStore } from "./posts/post-store.ts";
import { writePost } from "./posts/write-post.ts";

export type PostsDependencies = Pick<AppOptions, "verifyAccessToken" | "logger" | "metrics"> & {
  posts: PostStore;
};

export const endpoints = ({ posts }: Pick<PostsDependencies, "posts">) => [
  listPosts(posts),
  writePost(posts),
  getPost(posts),
];

export const about = {
  name: "posts",
  title: "Portico posts",
  description: "Short texts that accounts write and read.",
};

export const createPosts = (dependencies: PostsDependencies) =>
  createApp({ ...about, ...dependencies, endpoints: endpoints(dependencies) });
