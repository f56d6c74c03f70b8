import { answerPage, endpoint, PageQuery, pageOf, permits } from "@portico/service-kit";
import { z } from "zod";

/** What cards holds of the caller: nothing, for cards are the organisation's. For auth alone, which collects a person's export. */
export const readPersonalData = () =>
  endpoint({
    method: "get",
    path: "/cards/personal-data",
    summary: "Read everything that is held of the caller",
    guard: permits("personal-data:read"),
    query: PageQuery,
    reply: { status: 200, body: pageOf(z.never()) },

    handle: ({ url }) => answerPage({ items: [], nextCursor: null }, url),
  });
