/** As much of a browser as signing in needs: cookies by path, redirects, the forms of a page. */
type Cookie = { name: string; value: string; path: string };

export type Visit = { url: URL; status: number; body: string; headers: Headers };

export type Browser = {
  cookies: Cookie[];
  /** Follows redirects, until they leave `origin`. */
  open(url: URL | string): Promise<Visit>;
  /**
   * Fills in a form of a page and presses its button.
   * @param actionEnd how the form's action ends; the first form if it is not said
   */
  submit(visit: Visit, fields?: Record<string, string>, actionEnd?: string): Promise<Visit>;
  /** As the script of a page of this origin does; `headers` say otherwise. */
  fetch(
    path: string,
    init?: { method?: string; headers?: Record<string, string> },
  ): Promise<Response>;
};

export function createBrowser(origin: string): Browser {
  const cookies: Cookie[] = [];

  const remember = (response: Response) => {
    for (const line of response.headers.getSetCookie()) {
      const [pair = "", ...attributes] = line.split("; ");
      const [name = "", value = ""] = pair.split(/=(.*)/s);
      const find = (key: string) => attributes.find((one) => one.toLowerCase().startsWith(key));
      const path = find("path=")?.slice(5) ?? "/";
      const index = cookies.findIndex((one) => one.name === name && one.path === path);
      if (index >= 0) cookies.splice(index, 1);
      const isCleared = find("expires=thu, 01 jan 1970") ?? find("max-age=0");
      if (!isCleared) cookies.push({ name, value, path });
    }
  };

  const ask = async (url: URL, init: RequestInit): Promise<Response> => {
    const cookie = cookies
      .filter(({ path }) => url.pathname.startsWith(path))
      .map(({ name, value }) => `${name}=${value}`)
      .join("; ");
    const headers = { cookie, ...init.headers };
    const response = await fetch(url, { ...init, headers, redirect: "manual" });
    remember(response);
    return response;
  };

  const send = async (url: URL, init: RequestInit = {}): Promise<Visit> => {
    if (url.origin !== origin) return { url, status: 0, body: "", headers: new Headers() };
    const response = await ask(url, { ...init, headers: { accept: "text/html", ...init.headers } });
    const location = response.headers.get("location");
    if (location) return send(new URL(location, url));
    const body = await response.text();
    return { url, status: response.status, body, headers: response.headers };
  };

  return {
    cookies,
    open: (url) => send(new URL(url, origin)),
    fetch: (path, init = {}) =>
      ask(new URL(path, origin), {
        ...init,
        headers: { "sec-fetch-site": "same-origin", ...init.headers },
      }),
    submit: ({ url, body }, fields = {}, actionEnd = "") => {
      const { action, hidden } = findForm(url, body, actionEnd);
      const form = { ...hidden, ...fields };
      return send(new URL(action, url), {
        method: "POST",
        body: new URLSearchParams(form),
        headers: { "sec-fetch-site": "same-origin" },
      });
    },
  };
}

const forms = /<form[^>]* action="([^"]+)"[^>]*>(.*?)<\/form>/gs;
const hiddenFields = /<input type="hidden" name="([^"]+)" value="([^"]*)"/g;

function findForm(url: URL, body: string, actionEnd: string) {
  const form = [...body.matchAll(forms)].find(([, action = ""]) => action.endsWith(actionEnd));
  if (!form) throw new Error(`No form ${actionEnd} at ${url}: ${body}`);
  const [, action = "", content = ""] = form;
  const hidden = [...content.matchAll(hiddenFields)].map(([, name, value]) => [name, value]);
  return { action, hidden: Object.fromEntries(hidden) as Record<string, string> };
}
