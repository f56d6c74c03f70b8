import { anyone, endpoint } from "@portico/service-kit";
import { z } from "zod";
import { pageAnswer } from "../pages/page.ts";
import { resetForm, resetTitle } from "./reset-form.ts";

/**
 * Where the link of the mail leads: a form for the new password. Opening it uses nothing, since mail
 * programs open links by themselves. The token is in no link of the page, and no Referer is sent.
 */
export const openResetLink = () =>
  endpoint({
    method: "get",
    path: "/auth/reset",
    summary: "Open the link of a reset",
    description: "A page for people, with a form for the new password.",
    guard: anyone,
    // Mail programs add parameters of their own to links.
    query: z.looseObject({ token: z.string().default("") }),
    reply: { status: 200, mediaType: "text/html", body: z.string() },

    handle: ({ query: { token } }) => pageAnswer(resetTitle, resetForm(token)),
  });
