/** The only file that knows how posts are kept. */
import type { Connection } from "mongoose";
import { Schema, trusted } from "mongoose";
import type { Post } from "./post.ts";

type PostDocument = { _id: string; authorId: string; text: string; createdAt: Date };

/** Where a page ends: newest first, the id where two were written in the same millisecond. */
export type PostPosition = { createdAt: Date; id: string };

export type PostStore = {
  create(post: { id: string; authorId: string; text: string; createdAt: Date }): Promise<Post>;
  find(id: string): Promise<Post | undefined>;
  /** Newest first, at most `limit`, those after `position`. */
  list(limit: number, position?: PostPosition): Promise<Post[]>;
  /** The same, of one author. */
  listOf(authorId: string, limit: number, position?: PostPosition): Promise<Post[]>;
  removeAllOf(authorId: string): Promise<void>;
};

const postSchema = new Schema<PostDocument>(
  {
    _id: { type: String, required: true },
    authorId: { type: String, required: true },
    text: { type: String, required: true },
    createdAt: { type: Date, required: true },
  },
  { collection: "posts", versionKey: false },
);

const toPost = (document: PostDocument): Post => ({
  id: document._id,
  authorId: document.authorId,
  text: document.text,
  createdAt: document.createdAt.toISOString(),
});

export function createPostStore(connection: Connection): PostStore {
  const posts = connection.model("Post", postSchema);

  const newestFirst = async (
    whose: { authorId?: string },
    limit: number,
    position: PostPosition | undefined,
  ) => {
    const query = posts.find(whose).sort({ createdAt: -1, _id: -1 }).limit(limit);
    if (position) {
      const { createdAt, id } = position;
      query.or([
        { createdAt: trusted({ $lt: createdAt }) },
        { createdAt, _id: trusted({ $lt: id }) },
      ]);
    }
    return (await query.lean<PostDocument[]>()).map(toPost);
  };

  return {
    async create({ id, ...rest }) {
      const document = await posts.create({ _id: id, ...rest });
      return toPost(document);
    },

    async find(id) {
      const document = await posts.findById(id).lean<PostDocument>();
      return document ? toPost(document) : undefined;
    },

    list: (limit, position) => newestFirst({}, limit, position),
    listOf: (authorId, limit, position) => newestFirst({ authorId }, limit, position),

    async removeAllOf(authorId) {
      await posts.deleteMany({ authorId });
    },
  };
}
