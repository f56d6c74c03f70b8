import { anyone, endpoint } from "@portico/service-kit";
import { z } from "zod";
import type { FormTokens } from "../pages/form-token.ts";
import { pageAnswer } from "../pages/page.ts";
import { interactionIn, signUpForm } from "./sign-up-page.ts";

/** Where people make an account, without JavaScript. */
export const openSignUp = (formTokens: FormTokens) =>
  endpoint({
    method: "get",
    path: "/auth/sign-up",
    summary: "Open the page to sign up",
    description: "A page for people, with a form.",
    guard: anyone,
    // Links to it may have more parameters than it reads.
    query: z.looseObject({ interaction: z.string().default("") }),
    reply: { status: 200, mediaType: "text/html", body: z.string() },

    handle({ query: { interaction }, header }) {
      const browser = formTokens.browserOf(header("cookie"));
      const form = signUpForm(formTokens.field(browser.boundTo), interactionIn(interaction));
      return pageAnswer("Create an account", form, browser.headers);
    },
  });
