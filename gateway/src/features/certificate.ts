import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

/**
 * Certificates for tests: the smallest that TLS takes (RFC 5280), written in DER by hand because Node
 * reads them and does not make them. Keys are P-256 and live as long as the test.
 */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

export interface Authority extends Certificate {
  /** For a server or a client with these DNS names. */
  issue(...names: readonly string[]): Certificate;
}

export function createAuthority(name = "ca"): Authority {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issue = (subject: string, names: readonly string[]) => {
    const own = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const certificate = certificateOf(
      { issuer: name, subject, publicKey: own.publicKey, extension: alternativeNames(names) },
      keys.privateKey,
    );
    return { certificate, key: pemOf(own.privateKey) };
  };
  const self = { issuer: name, subject: name, publicKey: keys.publicKey, extension: IS_AUTHORITY };
  return {
    certificate: certificateOf(self, keys.privateKey),
    key: pemOf(keys.privateKey),
    issue: (...names) => issue(names[0] ?? "nobody", names),
  };
}

/** A Secret of type kubernetes.io/tls. */
export function tlsSecret(name: string, { certificate, key }: Certificate, namespace = "portico") {
  const encode = (text: string) => Buffer.from(text).toString("base64");
  return `
apiVersion: v1
kind: Secret
metadata: { name: ${name}, namespace: ${namespace} }
type: kubernetes.io/tls
data: { tls.crt: ${encode(certificate)}, tls.key: ${encode(key)} }
`;
}

/** A ConfigMap with the certificates of authorities. */
export function authorities(name: string, ...trusted: readonly Certificate[]): string {
  const bundle = trusted.map(({ certificate }) => certificate).join("");
  return `
apiVersion: v1
kind: ConfigMap
metadata: { name: ${name} }
data: { ca.crt: ${JSON.stringify(bundle)} }
`;
}

function pemOf(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

const DAY_MS = 86_400_000;

function certificateOf(
  {
    issuer,
    subject,
    publicKey,
    extension,
  }: { issuer: string; subject: string; publicKey: KeyObject; extension: Buffer },
  signedBy: KeyObject,
): string {
  const now = Date.now();
  const signed = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ECDSA_WITH_SHA256,
    commonName(issuer),
    sequence(time(now - DAY_MS), time(now + DAY_MS)),
    commonName(subject),
    publicKey.export({ type: "spki", format: "der" }),
    tagged(0xa3, sequence(extension)),
  );
  const signature = sign("sha256", signed, signedBy);
  const der = sequence(signed, ECDSA_WITH_SHA256, bits(signature)).toString("base64");
  const lines = der.match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 128
      ? [length]
      : length < 256
        ? [0x81, length]
        : [0x82, Math.floor(length / 256), length % 256];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...parts: readonly Buffer[]) => tagged(0x30, ...parts);
const integer = (value: Buffer) => tagged(0x02, value);
const bits = (value: Buffer) => tagged(0x03, Buffer.from([0]), value);
const octets = (value: Buffer) => tagged(0x04, value);
const identifier = (hex: string) => tagged(0x06, Buffer.from(hex, "hex"));

const ECDSA_WITH_SHA256 = sequence(identifier("2a8648ce3d040302"));

function commonName(name: string): Buffer {
  return sequence(tagged(0x31, sequence(identifier("550403"), tagged(0x0c, Buffer.from(name)))));
}

function time(milliseconds: number): Buffer {
  const digits = new Date(milliseconds).toISOString().replace(/[-:T]|\.\d+/g, "");
  return tagged(0x17, Buffer.from(digits.slice(2)));
}

const TRUE = tagged(0x01, Buffer.from([0xff]));
const IS_AUTHORITY = sequence(identifier("551d13"), TRUE, octets(sequence(TRUE)));

function alternativeNames(names: readonly string[]): Buffer {
  const dns = names.map((name) => tagged(0x82, Buffer.from(name)));
  return sequence(identifier("551d11"), octets(sequence(...dns)));
}
