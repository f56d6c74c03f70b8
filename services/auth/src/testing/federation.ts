/** An auth that people may sign in to with two identity providers, and a browser that goes there and back. */
import { type Browser, createBrowser, type TestStores, type Visit } from "@portico/dev-env";
import { createIdentityProvider, type IdentityProvider, type NewPerson } from "@portico/sandboxes";
import { createRelyingParty, type RelyingParty, type Tokens } from "./relying-party.ts";
import { type Authorization, authorize } from "./second-factors.ts";
import { startAuth, type TestAuth } from "./start-auth.ts";

export type Federation = {
  auth: TestAuth;
  /** In the configuration as `one` ("One ID") and `two`. */
  one: IdentityProvider;
  two: IdentityProvider;
  application: RelyingParty;
  stop(): Promise<void>;
};

type Client = { clientId: string; clientSecret: string; redirectUris: string[] };

const secret = "a-secret-that-only-tests-use";

export async function startFederation(stores: TestStores): Promise<Federation> {
  const clients: Record<string, Client> = {
    one: { clientId: "portico-one", clientSecret: secret, redirectUris: [] },
    two: { clientId: "portico-two", clientSecret: secret, redirectUris: [] },
  };
  const [one, two] = await Promise.all([
    createIdentityProvider({ clients: [clients.one as Client] }),
    createIdentityProvider({ clients: [clients.two as Client] }),
  ]);
  const configured = [
    { id: "one", name: "One ID", issuer: one.url, clientId: "portico-one", clientSecret: secret },
    { id: "two", name: "Two ID", issuer: two.url, clientId: "portico-two", clientSecret: secret },
  ];
  const auth = await startAuth(stores, { IDENTITY_PROVIDERS: JSON.stringify(configured) });
  // The providers read them with their first request, and auth has its address only now.
  for (const [id, { redirectUris }] of Object.entries(clients)) {
    redirectUris.push(`${auth.origin}/auth/identity-providers/${id}/callback`);
  }
  const application = await createRelyingParty(auth, "federated");
  return {
    auth,
    one,
    two,
    application,
    async stop() {
      await auth.stop();
      await Promise.all([one.close(), two.close()]);
    },
  };
}

/** A sign-in of one person in one browser, step by step. */
export type Journey = {
  browser: Browser;
  /** The application's request: ends at auth's sign-in page. */
  open(parameters?: Record<string, string>): Promise<Visit>;
  /** Follows a link of a page, also when it leads to a provider. */
  follow(page: Visit, text: string): Promise<Visit>;
  /** Presses the button on the sign-in page; answers the provider's page. */
  leave(page: Visit, providerName?: string): Promise<Visit>;
  /** Picks the person there; answers the URL that the provider sends the browser back to. */
  pick(page: Visit, sub: string): Promise<URL>;
  /** Presses "Cancel" there instead. */
  cancel(page: Visit): Promise<URL>;
  /** All of it: what auth shows, or where the application gets its answer. */
  arrive(sub: string, providerName?: string): Promise<Visit>;
  /** Of the application, from the answer that the journey ended with. */
  tokens(end: Visit): Promise<Tokens>;
};

export function createJourney({ auth, one, two, application }: Federation): Journey {
  const browser = createBrowser(auth.origin);
  const abroad = new Map([one, two].map(({ url }) => [url, createBrowser(url)]));
  let authorization: Authorization | undefined;

  const submitAbroad = async (page: Visit, fields: Record<string, string>): Promise<URL> => {
    // Whom the provider knows already it sends back without a question.
    if (page.url.origin === auth.origin && page.url.pathname.endsWith("/callback")) return page.url;
    const provider = abroad.get(page.url.origin);
    if (!provider) throw new Error(`Not at a provider: ${page.url} ${page.body}`);
    return (await provider.submit(page, fields)).url;
  };

  const journey: Journey = {
    browser,

    async open(parameters = {}) {
      authorization = await authorize(application, parameters);
      return browser.open(authorization.url);
    },

    async follow(page, text) {
      const [, path = ""] = new RegExp(`href="([^"]+)">${text}<`).exec(page.body) ?? [];
      if (!path) throw new Error(`No link "${text}": ${page.body}`);
      const away = await browser.open(new URL(path.replaceAll("&amp;", "&"), page.url));
      const provider = abroad.get(away.url.origin);
      return provider ? provider.open(away.url) : away;
    },

    leave: (page, providerName = "One ID") => journey.follow(page, `Continue with ${providerName}`),

    pick: (page, sub) => submitAbroad(page, { sub }),
    cancel: (page) => submitAbroad(page, { cancel: "yes" }),

    async arrive(sub, providerName) {
      const page = await journey.leave(await journey.open(), providerName);
      return browser.open(await journey.pick(page, sub));
    },

    async tokens(end) {
      if (!authorization) throw new Error("The application has asked for nothing.");
      return authorization.finish(end);
    },
  };
  return journey;
}

let people = 0;

/** Somebody with an address that nobody else has. */
export const newcomer = (more: Partial<NewPerson> = {}): NewPerson => {
  people += 1;
  const email = `newcomer-${process.pid}-${people}-${Date.now()}@portico.example`;
  return { email, givenName: "Grace", familyName: "Hopper", ...more };
};
