import type { ServerResponse } from "node:http";
import { Problem } from "@portico/service-kit";
import { z } from "zod";
import type { FormTokens } from "../pages/form-token.ts";
import { type Html, html, join } from "../pages/html.ts";
import { sendPage } from "../pages/page.ts";
import { type Page, toHandler } from "../pages/page-handler.ts";
import { EmailAddress, Name } from "./account.ts";
import { NewPassword } from "./password.ts";
import type { SignUp } from "./sign-up.ts";

const SignUpForm = z.object({
  email: EmailAddress,
  password: NewPassword,
  name: z
    .literal("")
    .transform(() => null)
    .or(Name),
});

type Field = keyof z.input<typeof SignUpForm>;

/** What was typed (never a password again), and what is wrong with which field. */
type Rejected = { form: URLSearchParams; wrong: Map<string, string>; status: number };

/**
 * The form of the page where people make an account. Who comes from an application's sign-in goes back
 * to it by the link of the page. What follows is the same for every address: see sign-up.ts.
 */
export const signUpPage = (signUp: SignUp, formTokens: FormTokens) => {
  const page: Page = {
    route: "/auth/sign-up",

    async post(request, response, form, formToken) {
      const interaction = interactionIn(form.get("interaction"));
      const rejected = await attempt(signUp, form, request.ip ?? "");
      if (rejected) showAgain(response, formToken, interaction, rejected);
      else showNext(response, form.get("email") ?? "", interaction);
    },
  };
  return toHandler(page, formTokens);
};

async function attempt(
  signUp: SignUp,
  form: URLSearchParams,
  address: string,
): Promise<Rejected | undefined> {
  const parsed = SignUpForm.safeParse(Object.fromEntries(form));
  if (parsed.error) {
    const wrong = new Map(
      parsed.error.issues.map(({ path, message }) => [String(path[0]), message]),
    );
    return { form, wrong, status: 400 };
  }
  try {
    await signUp({ ...parsed.data, address });
    return undefined;
  } catch (error) {
    return { form, ...complaintsOf(error) };
  }
}

function complaintsOf(error: unknown): Omit<Rejected, "form"> {
  if (error instanceof Problem && error.errors) {
    const wrong = new Map(error.errors.map(({ field, detail }) => [field, detail]));
    return { wrong, status: error.status };
  }
  throw error;
}

const labels: Record<Field, string> = {
  email: "E-mail address",
  password: "Password",
  name: "Name",
};

const showAgain = (
  response: ServerResponse,
  formToken: Html,
  interaction: string | undefined,
  rejected: Rejected,
): void =>
  sendPage(response, "Create an account", signUpForm(formToken, interaction, rejected), {
    status: rejected.status,
  });

export function signUpForm(
  formToken: Html,
  interaction: string | undefined,
  rejected?: Rejected,
): Html {
  const typed = (field: Field) => rejected?.form.get(field) ?? "";
  const marked = (field: Field) =>
    rejected?.wrong.has(field)
      ? html` aria-invalid="true" aria-describedby="wrong-${field}"`
      : undefined;
  return html`${summaryOf(rejected)}
<form method="post" action="/auth/sign-up">
${formToken}
<input type="hidden" name="interaction" value="${interaction}">
<label for="name">Name <span class="quiet">(if you like)</span></label>
<input id="name" name="name" autocomplete="name" maxlength="100" value="${typed("name")}"${marked("name")}>
<label for="email">E-mail address</label>
<input id="email" name="email" type="email" autocomplete="username" required value="${typed("email")}"${marked("email")}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="new-password" minlength="8" required aria-describedby="hint"${marked("password")}>
<p class="hint" id="hint">At least 8 characters. A few words that you will remember are better than signs and digits.</p>
<button type="submit">Create the account</button>
</form>
${backToSignIn(interaction)}`;
}

/** Every mistake at once, each with a link to its field. */
const summaryOf = (rejected: Rejected | undefined): Html | undefined =>
  rejected &&
  html`<div class="wrong" role="alert">
<ul>
${join(
  [...rejected.wrong].map(
    ([field, detail]) =>
      html`<li id="wrong-${field}"><a href="#${field}">${labels[field as Field] ?? field}</a>: ${detail}</li>`,
  ),
)}
</ul>
</div>`;

const showNext = (response: ServerResponse, email: string, interaction: string | undefined): void =>
  sendPage(
    response,
    "Look into your mailbox",
    html`<p>A mail is on its way to ${email}. Its link shows that the address is yours.</p>
${backToSignIn(interaction)}`,
  );

const backToSignIn = (interaction: string | undefined): Html =>
  html`<p>Have an account? <a href="${interaction ? `/auth/interaction/${interaction}` : "/auth/account"}">Sign in</a></p>`;

/** The library's ids, and nothing else: what is made of it stands in a link. */
export const interactionIn = (given: string | null): string | undefined =>
  given && /^[\w-]{21,64}$/.test(given) ? given : undefined;
