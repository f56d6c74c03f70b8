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
import type { AccountStore } from "./account-store.ts";
import { toUser, User } from "./user.ts";

const Key = z.tuple([z.string()]);

/** By e-mail address, which is what administrators know of people. */
export const listUsers = (accounts: Pick<AccountStore, "listByEmail">) =>
  endpoint({
    method: "get",
    path: "/auth/users",
    summary: "List accounts",
    guard: permits("users:read", { roles: ["admin"] }),
    query: PageQuery.extend({
      prefix: z
        .string()
        .max(254)
        .toLowerCase()
        .default("")
        .meta({ description: "What the e-mail address begins with" }),
    }),
    reply: { status: 200, body: pageOf(User), headers: { Link: "The next page" } },

    async handle({ query: { prefix, limit, after }, url }) {
      const [afterEmail] = after ? decodeCursor(after, Key) : [];
      const found = await accounts.listByEmail({ prefix, after: afterEmail, limit: limit + 1 });
      const page = toPage(found.map(toUser), limit, ({ email }) => [email]);
      return answerPage(page, url);
    },
  });
