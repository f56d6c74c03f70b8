/**
 * Passkeys by WebAuthn Level 2: discoverable credentials with user verification, so that one is two
 * factors (a device, and what unlocks it) and signs in without an address or a password too. The ceremonies are
 * the library's; here stands who may begin and end one, and what is kept.
 */
import { isDuplicateKey, problemType } from "@portico/service-kit";
import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from "@simplewebauthn/server";
import { z } from "zod";
import { type Account, Name } from "../accounts/account.ts";
import type { CeremonyKind, CeremonyStore } from "./ceremony-store.ts";
import { codesForTheFirst } from "./enrol-authenticator.ts";
import type { Passkey } from "./second-factor.ts";
import type { SecondFactorStore } from "./second-factor-store.ts";

/** `boundTo` is the session or interaction that a ceremony belongs to. */
export type Passkeys = {
  creationOptions(
    account: Pick<Account, "id" | "email" | "name">,
    boundTo: string,
  ): Promise<PublicKeyCredentialCreationOptionsJSON>;
  /** Takes what the browser made of the options. Answers recovery codes when the person had none. */
  add(
    accountId: string,
    boundTo: string,
    answer: string,
    name: string,
  ): Promise<{ recoveryCodes: string[] }>;
  /** Without an account: the person chooses a passkey, and it tells who they are. */
  requestOptions(
    boundTo: string,
    accountId?: string,
  ): Promise<PublicKeyCredentialRequestOptionsJSON>;
  /** Takes what the browser signed; answers whose passkey it is, which is this account's if one is given. */
  use(boundTo: string, answer: string, accountId?: string): Promise<string>;
};

export const passkeyRefused = problemType(
  400,
  "passkey-refused",
  "This passkey was not accepted. Try again.",
);

/** Loaded when the first person uses a passkey: a good part of auth's memory. */
const library = () => import("@simplewebauthn/server");
const helpers = () => import("@simplewebauthn/server/helpers");

/** COSE: EdDSA, ES256, RS256. Said here, or the library tries out what Node calls experimental. */
const supportedAlgorithmIDs = [-8, -7, -257];

const base64url = z
  .string()
  .max(20_000)
  .regex(/^[\w-]+$/);

const credential = { id: base64url, rawId: base64url, type: z.literal("public-key") };
const clientExtensionResults = z.object({}).default({});

/** For its owner to tell it from others. */
const PasskeyName = Name.max(50).catch("Passkey");

const Created = z.object({
  ...credential,
  clientExtensionResults,
  response: z.object({
    clientDataJSON: base64url,
    attestationObject: base64url,
    transports: z.array(z.string().max(20)).max(10).default([]),
  }),
});

const Signed = z.object({
  ...credential,
  clientExtensionResults,
  response: z.object({
    clientDataJSON: base64url,
    authenticatorData: base64url,
    signature: base64url,
    userHandle: base64url.nullish(),
  }),
});

export function createPasskeys(
  publicOrigin: string,
  factors: SecondFactorStore,
  ceremonies: CeremonyStore,
): Passkeys {
  const { origin, hostname: rpID } = new URL(publicOrigin);
  const expected = { expectedOrigin: origin, expectedRPID: rpID, requireUserVerification: true };

  /** Before anything else is looked at: whatever comes of it, the challenge was used. */
  const endCeremony = async (kind: CeremonyKind, boundTo: string, clientDataJSON: string) => {
    const { decodeClientDataJSON } = await helpers();
    const { challenge } = await refusing(async () => decodeClientDataJSON(clientDataJSON));
    if (!(await ceremonies.end(kind, boundTo, challenge))) throw passkeyRefused();
    return challenge;
  };

  return {
    async creationOptions({ id, email, name }, boundTo) {
      const { generateRegistrationOptions } = await library();
      const { passkeys } = await factors.find(id);
      return generateRegistrationOptions({
        rpName: "Portico",
        rpID,
        userID: userHandleOf(id),
        userName: email,
        userDisplayName: name ?? email,
        supportedAlgorithmIDs,
        challenge: await ceremonies.begin("registration", boundTo),
        excludeCredentials: passkeys.map(toDescriptor),
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
      });
    },

    async add(accountId, boundTo, answer, name) {
      const response = parse(Created, answer);
      const challenge = await endCeremony(
        "registration",
        boundTo,
        response.response.clientDataJSON,
      );
      const { verifyRegistrationResponse } = await library();
      const { registrationInfo } = await refusing(() =>
        verifyRegistrationResponse({
          response,
          supportedAlgorithmIDs,
          expectedChallenge: challenge,
          ...expected,
        }),
      );
      if (!registrationInfo) throw passkeyRefused();
      const { id, publicKey, counter } = registrationInfo.credential;
      const { transports } = response.response;
      const passkey = {
        ...{ id, publicKey, counter, transports },
        name: PasskeyName.parse(name),
        addedAt: new Date(),
        usedAt: null,
      };
      const recovery = await codesForTheFirst(factors, accountId);
      const added = await factors.addPasskey(accountId, passkey).catch(falseWhenTaken);
      if (!added) throw passkeyRefused();
      await recovery.keep();
      return { recoveryCodes: recovery.codes };
    },

    async requestOptions(boundTo, accountId) {
      const { generateAuthenticationOptions } = await library();
      const { passkeys } = accountId ? await factors.find(accountId) : { passkeys: [] };
      return generateAuthenticationOptions({
        rpID,
        challenge: await ceremonies.begin("authentication", boundTo),
        allowCredentials: passkeys.map(toDescriptor),
        userVerification: "required",
      });
    },

    async use(boundTo, answer, accountId) {
      const { response, userHandle } = signedBy(parse(Signed, answer));
      const challenge = await endCeremony(
        "authentication",
        boundTo,
        response.response.clientDataJSON,
      );
      const known = await factors.findByPasskey(response.id);
      if (!known || !isOwner(known.accountId, accountId, userHandle)) throw passkeyRefused();
      const { verifyAuthenticationResponse } = await library();
      const { verified, authenticationInfo } = await refusing(() =>
        verifyAuthenticationResponse({
          response,
          expectedChallenge: challenge,
          credential: known.passkey,
          ...expected,
        }),
      );
      const { newCounter } = authenticationInfo;
      const isFresh =
        verified && (await factors.usePasskey(known.accountId, known.passkey.id, newCounter));
      if (!isFresh) throw passkeyRefused();
      return known.accountId;
    },
  };
}

/** WebAuthn Level 2 section 14.6.1: nothing about the person; an account's id is random. */
const userHandleOf = (accountId: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(Buffer.from(accountId));

/**
 * WebAuthn Level 2 section 7.2, step 6: of a person who is known already the passkey need not say whose it
 * is; of a person who is not, it must.
 */
const isOwner = (ownerId: string, knownId: string | undefined, userHandle?: string): boolean => {
  const says = userHandle && Buffer.from(userHandle, "base64url").toString();
  if (says !== undefined && says !== ownerId) return false;
  return knownId === undefined ? says === ownerId : knownId === ownerId;
};

/** A browser writes null where the library wants nothing. */
const signedBy = ({ response, ...rest }: z.output<typeof Signed>) => {
  const { userHandle, ...signed } = response;
  return { userHandle: userHandle ?? undefined, response: { ...rest, response: signed } };
};

const toDescriptor = ({ id, transports }: Passkey) => ({ id, transports });

const falseWhenTaken = (error: unknown): false => {
  if (isDuplicateKey(error)) return false;
  throw error;
};

function parse<Schema extends z.ZodType>(schema: Schema, answer: string): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(answer));
  } catch (cause) {
    throw passkeyRefused(undefined, { cause });
  }
}

/** The library throws plain errors for whatever does not verify; nothing else happens in `verify`. */
const refusing = async <Result>(verify: () => Promise<Result>): Promise<Result> => {
  try {
    return await verify();
  } catch (cause) {
    throw passkeyRefused(undefined, { cause });
  }
};
