/** A person's device as WebAuthn Level 2 has it: makes passkeys and signs with them. ES256, no attestation. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

type CreationOptions = { challenge: string; rp: { id?: string }; user: { id: string } };
type RequestOptions = { challenge: string; rpId?: string };

/** What a device, a page or a thief may do differently. */
export type Differently = {
  origin?: string;
  rpId?: string;
  userVerified?: boolean;
  counter?: number;
  userHandle?: string | null;
  type?: string;
};

type Passkey = { id: Buffer; privateKey: KeyObject; userHandle: string; counter: number };

export type SoftwareAuthenticator = {
  /** The answer to `navigator.credentials.create`, as JSON. */
  create(options: CreationOptions, differently?: Differently): string;
  /** The answer to `navigator.credentials.get`, by the newest passkey. */
  get(options: RequestOptions, differently?: Differently): string;
};

/** @param counts false for a device that always says 0, as those do that copy passkeys to each other */
export function createAuthenticator(origin: string, { counts = true } = {}): SoftwareAuthenticator {
  const passkeys: Passkey[] = [];

  return {
    create({ challenge, rp, user }, differently = {}) {
      const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const passkey = { id: randomBytes(32), privateKey, userHandle: user.id, counter: 0 };
      passkeys.push(passkey);
      const rpId = differently.rpId ?? rp.id ?? "";
      const authenticatorData = Buffer.concat([
        dataOf(rpId, differently.userVerified ?? true, differently.counter ?? 0, attested),
        Buffer.alloc(16),
        uint16(passkey.id.length),
        passkey.id,
        coseKey(publicKey),
      ]);
      return answerOf(passkey.id, {
        clientDataJSON: clientData("webauthn.create", challenge, origin, differently),
        attestationObject: base64url(attestationObject(authenticatorData)),
        transports: ["internal"],
      });
    },

    get({ challenge, rpId }, differently = {}) {
      const passkey = passkeys.at(-1);
      if (!passkey) throw new Error("This device has no passkey.");
      if (counts) passkey.counter += 1;
      const authenticatorData = dataOf(
        differently.rpId ?? rpId ?? "",
        differently.userVerified ?? true,
        differently.counter ?? passkey.counter,
      );
      const clientDataJSON = clientData("webauthn.get", challenge, origin, differently);
      const clientDataHash = sha256(Buffer.from(clientDataJSON, "base64url"));
      const signed = Buffer.concat([authenticatorData, clientDataHash]);
      const { userHandle = passkey.userHandle } = differently;
      return answerOf(passkey.id, {
        clientDataJSON,
        authenticatorData: base64url(authenticatorData),
        signature: base64url(sign("sha256", signed, passkey.privateKey)),
        userHandle,
      });
    },
  };
}

const answerOf = (id: Buffer, response: object): string =>
  JSON.stringify({
    id: base64url(id),
    rawId: base64url(id),
    type: "public-key",
    authenticatorAttachment: "platform",
    clientExtensionResults: {},
    response,
  });

const clientData = (
  type: string,
  challenge: string,
  origin: string,
  differently: Differently,
): string =>
  base64url(
    Buffer.from(
      JSON.stringify({
        type: differently.type ?? type,
        challenge,
        origin: differently.origin ?? origin,
        crossOrigin: false,
      }),
    ),
  );

const [present, verified, attested] = [0x01, 0x04, 0x40];

/** WebAuthn Level 2 section 6.1. */
const dataOf = (rpId: string, userVerified: boolean, counter: number, flags = 0): Buffer => {
  const rest = Buffer.alloc(5);
  rest.writeUInt8(present | (userVerified ? verified : 0) | flags);
  rest.writeUInt32BE(counter, 1);
  return Buffer.concat([sha256(Buffer.from(rpId)), rest]);
};

/** RFC 9053 section 7.1.1, in CBOR: { kty: EC2, alg: ES256, crv: P-256, x, y }. */
const coseKey = (publicKey: KeyObject): Buffer => {
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  return Buffer.concat([
    Buffer.from("a5010203262001215820", "hex"),
    Buffer.from(x, "base64url"),
    Buffer.from("225820", "hex"),
    Buffer.from(y, "base64url"),
  ]);
};

/** CBOR: { fmt: "none", attStmt: {}, authData }. */
const attestationObject = (authenticatorData: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from("a363666d74646e6f6e656761747453746d74a068617574684461746159", "hex"),
    uint16(authenticatorData.length),
    authenticatorData,
  ]);

const uint16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
};

const base64url = (bytes: Buffer): string => bytes.toString("base64url");
const sha256 = (bytes: Buffer): Buffer => createHash("sha256").update(bytes).digest();
