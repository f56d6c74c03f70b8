import { anyone, endpoint } from "@portico/service-kit";
import { z } from "zod";
import { html } from "../pages/html.ts";
import { pageAnswer } from "../pages/page.ts";

/**
 * Where the link of the mail leads. Mail programs and scanners open links by themselves, so opening it
 * shows a button, and only the button verifies.
 */
export const openLink = () =>
  endpoint({
    method: "get",
    path: "/auth/verify",
    summary: "Open a verification link",
    description: "A page for people, with a button that verifies.",
    guard: anyone,
    // Mail programs add parameters of their own to links.
    query: z.looseObject({ token: z.string().default("") }),
    reply: { status: 200, mediaType: "text/html", body: z.string() },

    handle: ({ query: { token } }) => pageAnswer("Verify your e-mail address", button(token)),
  });

const button = (
  token: string,
) => html`<p>Press the button to confirm that this address is yours.</p>
<form method="post" action="/auth/verify">
<input type="hidden" name="token" value="${token}">
<button type="submit">Verify this address</button>
</form>`;
