/** posts: what people write. The list of endpoints is the table of contents. */
import { type AppOptions, createApp } from "@portico/service-kit";
import { answerErasure, type Outbox, onAccountErased } from "@portico/service-kit/events";
import { readPersonalData } from "./personal-data/read-personal-data.ts";
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
  readPersonalData(posts),
  getPost(posts),
];

/** Of auth's events. Whoever leaves takes their words along: they may tell who wrote them. */
export const eventHandlers = (posts: PostStore, outbox: Outbox) => ({
  [onAccountErased]: answerErasure(posts.removeAllOf, outbox),
});

export const about = {
  name: "posts",
  title: "Portico posts",
  description: "Short texts that accounts write and read.",
};

export const createPosts = (dependencies: PostsDependencies) =>
  createApp({ ...about, ...dependencies, endpoints: endpoints(dependencies) });
