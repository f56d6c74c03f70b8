/**
 * A post: a short text by one account. This folder owns posts and who may write them; who follows
 * whom, and what is premium, is not decided here.
 */
import { z } from "zod";

export const PostId = z.uuid().meta({ description: "Id of a post (UUID)" });

/** Length by what a person counts as characters: an emoji is one. */
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

const longestText = 500;

const isShortEnough = (text: string): boolean => {
  let count = 0;
  for (const _ of graphemes.segment(text)) {
    count += 1;
    if (count > longestText) return false;
  }
  return true;
};

export const PostText = z
  .string()
  .trim()
  .min(1)
  .max(8_000)
  .refine(isShortEnough, { error: `Too long: at most ${longestText} characters.` })
  .meta({ description: `1 to ${longestText} characters, as a person counts them` });

export const Post = z
  .object({
    id: PostId,
    authorId: z.string().meta({ description: "Account that wrote it" }),
    text: z.string(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: "Post" });

export type Post = z.output<typeof Post>;
