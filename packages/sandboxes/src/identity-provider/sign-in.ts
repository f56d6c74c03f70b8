/** What a person does while an application waits: says who they are, or goes back. */
import express, { Router } from "express";
import { errors, type Provider } from "oidc-provider";
import { NewPerson, type People } from "./people.ts";
import { pagePolicy, signInPage } from "./sign-in-page.ts";

export function signIn(provider: Provider, people: People): Router {
  const router = Router();

  router.get("/sign-in/:uid", async (request, response) => {
    const { uid, params } = await provider.interactionDetails(request, response);
    response
      .set("Content-Security-Policy", pagePolicy(String(params.redirect_uri)))
      .type("html")
      .send(signInPage(uid, String(params.client_id), people.list()));
  });

  router.post(
    "/sign-in/:uid",
    express.urlencoded({ extended: false, limit: "4kb" }),
    async (request, response) => {
      const form: Record<string, string> = request.body ?? {};
      const result = form.cancel
        ? { error: "access_denied", error_description: "The person cancelled." }
        : { login: { accountId: chosen(form, people) }, select_account: {} };
      await provider.interactionFinished(request, response, result);
    },
  );
  return router;
}

/** Who is not there stays unknown: the library then asks again. */
function chosen({ sub, emailVerified, ...rest }: Record<string, string>, people: People): string {
  if (sub) return sub;
  return people.add(NewPerson.parse({ ...rest, emailVerified: emailVerified === "yes" })).sub;
}

/** The tab was left open for too long, or the page belongs to another browser. */
export const isLost = (error: unknown): boolean => error instanceof errors.SessionNotFound;
