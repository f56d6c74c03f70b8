/**
 * A person who opens the link of a mail and presses the button there, as far as our own pages need one:
 * a page, its cookies, its one form.
 */

/** @param typed what is filled in beside the form's hidden fields. Answers the status of what comes then. */
export async function pressButton(link: URL, typed: Record<string, string>): Promise<number> {
  const page = await fetch(link, { redirect: "error", signal: AbortSignal.timeout(timeoutMs) });
  const markup = await page.text();
  const action = attributeOf(/<form\b[^>]*>/.exec(markup)?.[0] ?? "", "action");
  const reply = await fetch(new URL(action ?? link.pathname, link), {
    method: "POST",
    redirect: "error",
    signal: AbortSignal.timeout(timeoutMs),
    headers: { cookie: cookiesOf(page) },
    body: new URLSearchParams({ ...hiddenFields(markup), ...typed }),
  });
  await reply.body?.cancel();
  return reply.status;
}

const timeoutMs = 10_000;

const attributeOf = (tag: string, name: string): string | undefined =>
  new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];

const hiddenFields = (markup: string): Record<string, string> =>
  Object.fromEntries(
    [...markup.matchAll(/<input\b[^>]*\btype="hidden"[^>]*>/g)].map(([tag]) => [
      attributeOf(tag, "name") ?? "",
      attributeOf(tag, "value") ?? "",
    ]),
  );

const cookiesOf = (response: Response): string =>
  response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0])
    .join("; ");
