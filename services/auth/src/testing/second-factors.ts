/** People who have second factors, and clients that ask for them. */
import type { Browser, Visit } from "@portico/dev-env";
import * as openid from "openid-client";
import { TOTP } from "otpauth";
import { createKeyRing } from "../key-ring/key-ring.ts";
import { newSecret } from "../second-factor/authenticator.ts";
import { keptFor } from "../second-factor/enrol-authenticator.ts";
import { newRecoveryCodes } from "../second-factor/recovery-codes.ts";
import { createSecondFactorStore } from "../second-factor/second-factor-store.ts";
import { addMember, type Person } from "./people.ts";
import type { RelyingParty } from "./relying-party.ts";
import type { SoftwareAuthenticator } from "./software-authenticator.ts";
import type { TestAuth } from "./start-auth.ts";

export type PersonWithApp = Person & {
  id: string;
  recoveryCodes: string[];
  /** Another one each time, as if half a minute had passed. */
  nextCode(): Promise<string>;
};

export const idOf = async (auth: TestAuth, { email }: Person): Promise<string> => {
  const account = await auth.mongo.collection("accounts").findOne({ email });
  return String(account?._id);
};

/** Ten hashes are a third of a second: everybody here has the same codes. */
let recoveryCodes: ReturnType<typeof newRecoveryCodes> | undefined;

/** Somebody who added an authenticator app long ago. */
export async function signUpWithApp(auth: TestAuth): Promise<PersonWithApp> {
  const person = await addMember(auth);
  const id = await idOf(auth, person);
  const factors = createSecondFactorStore(auth.mongo);
  const secret = newSecret();
  const sealed = createKeyRing(auth.config.keyEncryptionKey).seal(secret, keptFor(id));
  await factors.addAuthenticator(id, sealed, 0);
  recoveryCodes ??= newRecoveryCodes();
  const { codes, kept } = await recoveryCodes;
  await factors.setRecoveryCodes(id, kept);

  const nextCode = async () => {
    await auth.mongo
      .collection<{ _id: string }>("secondFactors")
      .updateOne({ _id: id }, { $set: { "authenticator.lastStep": 0 } });
    return new TOTP({ secret }).generate();
  };
  return { ...person, id, recoveryCodes: codes, nextCode };
}

/** What the app shows for the secret on a page. */
export const codeOn = ({ body }: Visit): string => {
  const [, secret = ""] = /<code>([A-Z2-7 ]+)<\/code>/.exec(body) ?? [];
  return new TOTP({ secret: secret.replaceAll(" ", "") }).generate();
};

export type Authorization = {
  url: URL;
  /** Trades the code that the browser came back with. */
  finish(visit: Visit): Promise<openid.TokenEndpointResponse & openid.TokenEndpointResponseHelpers>;
};

/** A request of a web application for somebody who may have to sign in. */
export async function authorize(
  { configuration }: RelyingParty,
  parameters: Record<string, string> = {},
): Promise<Authorization> {
  const pkceCodeVerifier = openid.randomPKCECodeVerifier();
  const url = openid.buildAuthorizationUrl(configuration, {
    redirect_uri: "https://rp.example/callback",
    scope: "openid",
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    ...parameters,
  });
  return {
    url,
    finish: ({ url: callback }) =>
      openid.authorizationCodeGrant(configuration, callback, { pkceCodeVerifier }),
  };
}

/** Does what the page's script does: asks for options, and sends what the device makes of them. */
export async function submitPasskey(
  browser: Browser,
  page: Visit,
  device: SoftwareAuthenticator,
  kind: "create" | "get",
  fields: Record<string, string> = {},
): Promise<Visit> {
  const form = new RegExp(`action="([^"]+)" data-passkey="${kind}" data-options="([^"]+)"`);
  const [, action = "", optionsAt = ""] = form.exec(page.body) ?? [];
  const asked = { ...page, body: page.body.replace(`action="${action}"`, `action="${optionsAt}"`) };
  const options = JSON.parse((await browser.submit(asked, {}, optionsAt)).body);
  const passkey = kind === "create" ? device.create(options) : device.get(options);
  return browser.submit(page, { passkey, ...fields }, action);
}
