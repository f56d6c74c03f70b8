/**
 * A signing key that signs by itself. Left to the protocol library, each signature is a job of Web Crypto's:
 * it waits for a thread that passwords are hashed on, and takes more than twice the processor time.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";
import { ExternalSigningKey } from "oidc-provider";
import type { SigningKey } from "../signing-keys/signing-key.ts";

export class OwnSigningKey extends ExternalSigningKey {
  readonly #kid: string;
  readonly #private: KeyObject;
  readonly #public: KeyObject;

  constructor({ kid, privateJwk }: SigningKey) {
    super();
    this.#kid = kid;
    this.#private = createPrivateKey({ key: privateJwk, format: "jwk" });
    this.#public = createPublicKey(this.#private);
  }

  override get kid(): string {
    return this.#kid;
  }

  override get alg(): "ES256" {
    return "ES256";
  }

  override keyObject(): KeyObject {
    return this.#public;
  }

  /** @returns R and S, 32 bytes each (RFC 7518 section 3.4) */
  override sign(data: Uint8Array): Uint8Array {
    // Node writes R and S itself when it is given `dsaEncoding`, but looks at such options for longer than it signs.
    return toJose(sign("sha256", data, this.#private));
  }
}

const numberBytes = 32;

/**
 * @param der `SEQUENCE { INTEGER r, INTEGER s }` (RFC 3279 section 2.2.3): of P-256 every length is one byte. A
 * number has no zeros in front but for one where its first bit would make it negative.
 */
export function toJose(der: Uint8Array): Uint8Array {
  const signature = new Uint8Array(2 * numberBytes);
  let at = 2;
  for (const end of [numberBytes, 2 * numberBytes]) {
    const length = der[at + 1] ?? 0;
    const digits = der.subarray(at + 2, at + 2 + length).subarray(-numberBytes);
    signature.set(digits, end - digits.length);
    at += 2 + length;
  }
  return signature;
}
