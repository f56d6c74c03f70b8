/** The forms of the security page: each changes one way to sign in, right after a sign-in. */
import { Problem } from "@portico/service-kit";
import type { ChangePassword } from "../accounts/change-password.ts";
import { NewPassword } from "../accounts/password.ts";
import type { Linking } from "../identity-providers/linking.ts";
import { sessionOf } from "../oidc/signed-in.ts";
import { html } from "../pages/html.ts";
import { sendJson, sendPage } from "../pages/page.ts";
import type { SecondFactor } from "../second-factor/create-second-factor.ts";
import { wrongFirstCode } from "../second-factor/enrol-authenticator.ts";
import { recoveryCodeList } from "../second-factor/fragments.ts";
import type { Removed, RemoveSecondFactor } from "../second-factor/remove-second-factor.ts";
import type { RenewRecoveryCodes } from "../second-factor/renew-recovery-codes.ts";
import { isEnrolled, methods } from "../second-factor/second-factor.ts";
import { accountPath } from "./account-client.ts";
import { goTo, type Notice } from "./notices.ts";
import type { ShowSecurity, Wrong } from "./security-page.ts";
import type { Visitors } from "./visitor.ts";
import type { Visit, VisitorPage } from "./visitor-page.ts";

export type SecurityFormDependencies = {
  show: ShowSecurity;
  visitors: Visitors;
  secondFactor: SecondFactor;
  changePassword: ChangePassword;
  removeSecondFactor: RemoveSecondFactor;
  renewRecoveryCodes: RenewRecoveryCodes;
  linking: Pick<Linking, "unlink">;
};

type Posted = Visit & { form: URLSearchParams };

export const securityForms = (dependencies: SecurityFormDependencies): VisitorPage[] => [
  securityForm("/password", dependencies, "password", changePasswordOf(dependencies)),
  securityForm("/authenticator", dependencies, "authenticator", addAuthenticator(dependencies)),
  securityForm("/authenticator/remove", dependencies, "removal", removeAuthenticator(dependencies)),
  securityForm("/passkeys/options", dependencies, "passkey", passkeyOptions(dependencies)),
  securityForm("/passkeys", dependencies, "passkey", addPasskey(dependencies)),
  securityForm("/passkeys/remove", dependencies, "removal", removePasskey(dependencies)),
  securityForm("/recovery-codes", dependencies, "removal", renewCodes(dependencies)),
  securityForm("/identities/unlink", dependencies, "identities", unlink(dependencies)),
];

/** What is wrong with what was sent stands on the page that it was sent from. */
const securityForm = (
  path: string,
  { show }: SecurityFormDependencies,
  form: Wrong["form"],
  handle: (posted: Posted) => Promise<void>,
): VisitorPage => ({
  path,
  recently: true,
  returnTo: "/security",

  async post(posted) {
    try {
      await handle(posted);
    } catch (error) {
      if (!(error instanceof Problem) || error.status >= 500) throw error;
      const { response } = posted;
      for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
      const why = error.errors?.[0]?.detail ?? error.detail;
      await show(posted, { form, why, status: error.status });
    }
  },
});

/** It ends this session as well: the browser is nobody's until the person has signed in again. */
const changePasswordOf =
  ({ show, changePassword }: SecurityFormDependencies) =>
  async (posted: Posted) => {
    const { visitor, request, response, form } = posted;
    const password = NewPassword.safeParse(form.get("password"));
    if (password.error) {
      const why = password.error.issues[0]?.message ?? "";
      await show(posted, { form: "password", why, status: 400 });
      return;
    }
    await changePassword({
      accountId: visitor.account.id,
      currentPassword: form.get("currentPassword") ?? "",
      password: password.data,
      address: request.ip ?? "",
    });
    const done = html`<p>You are signed out everywhere. Sign in with the new password.</p>
<p><a class="button" href="${accountPath}">Sign in</a></p>`;
    sendPage(response, "Password changed", done);
  };

const addAuthenticator =
  ({ show, visitors, secondFactor }: SecurityFormDependencies) =>
  async (posted: Posted) => {
    const { visitor, request, response, form } = posted;
    const sealed = form.get("sealed") ?? "";
    const { enrolAuthenticator } = secondFactor;
    const added = await enrolAuthenticator.confirm(visitor.account, sealed, form.get("otp") ?? "");
    if (!added) {
      await show(posted, { form: "authenticator", why: wrongFirstCode, status: 400, sealed });
      return;
    }
    await visitors.raise(request, response, methods.code);
    showAdded(posted, "authenticator-added", added.recoveryCodes);
  };

const removeAuthenticator = (dependencies: SecurityFormDependencies) => (posted: Posted) =>
  remove(dependencies, posted, { kind: "authenticator" });

const removePasskey = (dependencies: SecurityFormDependencies) => (posted: Posted) =>
  remove(dependencies, posted, { kind: "passkey", id: posted.form.get("passkey") ?? "" });

async function remove(
  { removeSecondFactor }: SecurityFormDependencies,
  { visitor, response }: Posted,
  removed: Removed,
): Promise<void> {
  await removeSecondFactor(visitor.account.id, removed, visitor.sessionUid);
  goTo(response, `${removed.kind}-removed`, "/security");
}

const passkeyOptions =
  ({ secondFactor }: SecurityFormDependencies) =>
  async ({ visitor, response }: Posted) => {
    const { passkeys } = secondFactor;
    sendJson(response, await passkeys.creationOptions(visitor.account, sessionOf(visitor)));
  };

const addPasskey =
  ({ visitors, secondFactor }: SecurityFormDependencies) =>
  async (posted: Posted) => {
    const { visitor, request, response, form } = posted;
    const { recoveryCodes } = await secondFactor.passkeys.add(
      visitor.account.id,
      sessionOf(visitor),
      form.get("passkey") ?? "",
      form.get("name") ?? "",
    );
    await visitors.raise(request, response, methods.passkey);
    showAdded(posted, "passkey-added", recoveryCodes);
  };

const renewCodes =
  ({ renewRecoveryCodes }: SecurityFormDependencies) =>
  async ({ visitor, response }: Posted) => {
    if (!isEnrolled(visitor.enrolled)) {
      goTo(response, "authenticator-removed", "/security");
      return;
    }
    showCodes(response, await renewRecoveryCodes(visitor.account.id));
  };

const unlink =
  ({ linking }: SecurityFormDependencies) =>
  async ({ visitor, response, form }: Posted) => {
    await linking.unlink(visitor.account.id, form.get("identity") ?? "", visitor.sessionUid);
    goTo(response, "unlinked", "/security");
  };

/** With the first second factor there are recovery codes to keep. */
function showAdded({ response }: Posted, notice: Notice, recoveryCodes: readonly string[]): void {
  if (recoveryCodes.length > 0) showCodes(response, recoveryCodes);
  else goTo(response, notice, "/security");
}

const showCodes = (response: Posted["response"], codes: readonly string[]): void =>
  sendPage(
    response,
    "Recovery codes",
    html`${recoveryCodeList(codes)}
<p><a class="button" href="${accountPath}/security">I have kept them</a></p>`,
  );
