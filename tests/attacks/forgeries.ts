/**
 * Tokens that nobody may let in, made from a good one and, where a forger could only guess, from the
 * platform's own signing key: what is refused is then refused for the one thing that is wrong.
 */
import {
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from "node:crypto";

export type Material = {
  /** An access token that every door lets in. */
  good: string;
  /** The private key that signed it. */
  signingKey: KeyObject;
  /** Where nobody may be made to look for keys. */
  trap: string;
};

type Fields = Record<string, unknown>;
type Parts = { header: Fields; claims: Fields };

const encode = (fields: Fields): string =>
  Buffer.from(JSON.stringify(fields)).toString("base64url");
const decode = (part = ""): Fields => JSON.parse(Buffer.from(part, "base64url").toString());

export const partsOf = (token: string): Parts => {
  const [header, claims] = token.split(".");
  return { header: decode(header), claims: decode(claims) };
};

const signed = ({ header, claims }: Parts, key: KeyObject): string => {
  const input = `${encode(header)}.${encode(claims)}`;
  const dsa = { key, dsaEncoding: "ieee-p1363" } as const;
  return `${input}.${sign("sha256", Buffer.from(input), dsa).toString("base64url")}`;
};

const macced = ({ header, claims }: Parts, secret: string | Buffer): string => {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
};

const foreign = generateKeyPairSync("ec", { namedCurve: "P-256" });
const foreignJwk = foreign.publicKey.export({ format: "jwk" });

/** What a forger has at hand: the good token's parts, and ways to change one thing in them. */
function workshop({ good, signingKey, trap }: Material) {
  const { header, claims } = partsOf(good);
  const [head = "", body = "", signature = ""] = good.split(".");
  const publicKey = createPublicKey(signingKey);
  return {
    ...{ good, trap, claims, head, body, signature },
    nowS: Math.floor(Date.now() / 1000),
    publicPem: publicKey.export({ format: "pem", type: "spki" }),
    publicJwk: publicKey.export({ format: "jwk" }),
    unsigned: (alg: string, end = "") => `${encode({ ...header, alg })}.${body}.${end}`,
    withSecret: (secret: string | Buffer) =>
      macced({ header: { ...header, alg: "HS256" }, claims }, secret),
    byForeignKey: (more: Fields = {}) =>
      signed({ header: { ...header, ...more }, claims }, foreign.privateKey),
    /** Signed by the real key: only what is replaced is wrong. */
    withHeader: (more: Fields) => signed({ header: { ...header, ...more }, claims }, signingKey),
    withClaims: (more: Fields) => signed({ header, claims: { ...claims, ...more } }, signingKey),
  };
}

type Workshop = ReturnType<typeof workshop>;

const kinds: Record<string, (tools: Workshop) => string> = {
  "alg none": ({ unsigned }) => unsigned("none"),
  "alg None, with the old signature": ({ unsigned, signature }) => unsigned("None", signature),
  "alg nOnE": ({ unsigned }) => unsigned("nOnE"),
  "no signature": ({ head, body }) => `${head}.${body}.`,
  "a signature of zeros": ({ head, body }) =>
    `${head}.${body}.${Buffer.alloc(64).toString("base64url")}`,
  "HS256 with the public key as PEM": ({ withSecret, publicPem }) => withSecret(publicPem),
  "HS256 with the public key as JWK": ({ withSecret, publicJwk }) =>
    withSecret(JSON.stringify(publicJwk)),
  "HS256 with a coordinate of the public key": ({ withSecret, publicJwk }) =>
    withSecret(Buffer.from(String(publicJwk.x), "base64url")),
  "HS256 with an empty key": ({ withSecret }) => withSecret(""),
  "another key under our kid": ({ byForeignKey }) => byForeignKey(),
  "another key under its own kid": ({ byForeignKey }) => byForeignKey({ kid: "foreign" }),
  "another key, which it brings along": ({ byForeignKey }) => byForeignKey({ jwk: foreignJwk }),
  "another key, by jku": ({ byForeignKey, trap }) =>
    byForeignKey({ kid: "foreign", jku: `${trap}/jku` }),
  "another key, by x5u": ({ byForeignKey, trap }) =>
    byForeignKey({ kid: "foreign", x5u: `${trap}/x5u` }),
  "a kid that is a path": ({ byForeignKey }) => byForeignKey({ kid: "../../../../dev/null" }),
  "a kid that is a URL": ({ byForeignKey, trap }) => byForeignKey({ kid: `${trap}/kid` }),
  "a kid that is an object": ({ byForeignKey }) => byForeignKey({ kid: { $gt: "" } }),
  "a kid of 7 KB": ({ byForeignKey }) => byForeignKey({ kid: "k".repeat(7_000) }),
  "an extension that nobody knows": ({ withHeader }) => withHeader({ crit: ["x"], x: 1 }),
  "claims that were edited": ({ head, claims, signature }) =>
    `${head}.${encode({ ...claims, roles: ["admin"] })}.${signature}`,
  "four parts": ({ good, signature }) => `${good}.${signature}`,
  "two parts": ({ head, body }) => `${head}.${body}`,
  "odd base64": ({ head, body, signature }) => `${head}.${body}=.${signature}`,
  "a signature that ends differently": ({ head, body, signature }) =>
    `${head}.${body}.${signature.slice(0, -4)}${signature.endsWith("AAAA") ? "BBBB" : "AAAA"}`,
  "the type of an ID token": ({ withHeader }) => withHeader({ typ: "JWT" }),
  "no type": ({ withHeader }) => withHeader({ typ: undefined }),
  "another issuer": ({ withClaims }) => withClaims({ iss: "https://elsewhere.example" }),
  "our issuer with a slash": ({ withClaims, claims }) => withClaims({ iss: `${claims.iss}/` }),
  "no issuer": ({ withClaims }) => withClaims({ iss: undefined }),
  "another audience": ({ withClaims }) => withClaims({ aud: "https://elsewhere.example" }),
  "no audience": ({ withClaims }) => withClaims({ aud: undefined }),
  "an end in the past": ({ withClaims, nowS }) =>
    withClaims({ iat: nowS - 1_200, exp: nowS - 600 }),
  "no end": ({ withClaims }) => withClaims({ exp: undefined }),
  "an end that is a text": ({ withClaims }) => withClaims({ exp: "9999999999" }),
  "a beginning in the future": ({ withClaims, nowS }) => withClaims({ nbf: nowS + 600 }),
  "no subject": ({ withClaims }) => withClaims({ sub: undefined }),
};

/** What is wrong with a token. */
export const kindsOfForgery = Object.keys(kinds);

export const forge = (kind: string, material: Material): string => {
  const make = kinds[kind];
  if (!make) throw new Error(`Nobody knows how to forge ${kind}.`);
  return make(workshop(material));
};

/** The same claims, signed once more: shows that the forger's tools work. */
export const resign = (material: Material): string => workshop(material).withClaims({});
