import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { base64url, exportJWK, exportSPKI, generateKeyPair, SignJWT } from "jose";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createTokenVerifier, type VerifyAccessToken } from "./access-token.ts";
import { Problem } from "./problem.ts";
import { createRevocationList, type Revocation, type RevocationList } from "./revocations.ts";

type Parts = { header?: Record<string, unknown>; claims?: Record<string, unknown> };
type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>;

const keyPairs = () => generateKeyPair("ES256", { extractable: true });
const nowSeconds = () => Math.floor(Date.now() / 1000);

let ours: KeyPair;
let theirs: KeyPair;
let rsa: KeyPair;
let keyServer: Server;
let trap: Server;
let origin: string;
let trapUrl: string;
/** What the key server answers, and what it and the trap were asked. */
let keysAnswer: { status: number; body: string };
let jwks: string;
let keyFetches = 0;
let trapped = 0;

const listen = async (server: Server) => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

beforeAll(async () => {
  [ours, theirs, rsa] = await Promise.all([
    keyPairs(),
    keyPairs(),
    generateKeyPair("RS256", { extractable: true }),
  ]);
  jwks = JSON.stringify({
    keys: [
      { ...(await exportJWK(ours.publicKey)), kid: "ours", alg: "ES256", use: "sig" },
      { ...(await exportJWK(rsa.publicKey)), kid: "rsa", alg: "RS256", use: "sig" },
    ],
  });
  keyServer = createServer((_request, response) => {
    keyFetches += 1;
    response.writeHead(keysAnswer.status).end(keysAnswer.body);
  });
  origin = await listen(keyServer);
  trap = createServer((_request, response) => {
    trapped += 1;
    response.end(jwks);
  });
  trapUrl = await listen(trap);
});

afterAll(() => {
  for (const server of [keyServer, trap]) {
    server.closeAllConnections();
    server.close();
  }
});

let revocations: RevocationList;
let verify: VerifyAccessToken;
beforeEach(() => {
  keysAnswer = { status: 200, body: jwks };
  revocations = createRevocationList();
  revocations.markComplete();
  verify = verifierFrom(`${origin}/jwks`);
  keyFetches = 0;
});

const verifierFrom = (jwksUrl: string, now?: () => number) =>
  createTokenVerifier({ issuer: origin, audience: "us", jwksUrl, revocations, now });

const header = (more: Parts["header"] = {}) => ({
  alg: "ES256",
  typ: "at+jwt",
  kid: "ours",
  ...more,
});
const claims = (more: Parts["claims"] = {}) => ({
  iss: origin,
  aud: "us",
  sub: "someone",
  client_id: "demo",
  scope: "a:read b:write",
  roles: ["member"],
  email_verified: true,
  iat: nowSeconds(),
  exp: nowSeconds() + 600,
  jti: "1",
  ...more,
});

const sign = (parts: Parts = {}, key: KeyPair["privateKey"] = ours.privateKey) =>
  new SignJWT(claims(parts.claims)).setProtectedHeader(header(parts.header)).sign(key);

const encode = (part: unknown) => base64url.encode(JSON.stringify(part));

/** A token signed by hand, since jose refuses to make what we must refuse. */
const unsigned = (parts: Parts = {}) =>
  `${encode(header(parts.header))}.${encode(claims(parts.claims))}`;
const withHmac = (parts: Parts, key: string | Buffer) => {
  const signed = unsigned({ ...parts, header: { alg: "HS256", ...parts.header } });
  return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
};
const signatureOf = (token: string) => token.split(".")[2];

const refusal = (token: string) =>
  verify(token).then(
    () => "let in",
    (error: unknown) => {
      expect(error).toBeInstanceOf(Problem);
      return (error as Problem).status;
    },
  );

describe("an access token of ours", () => {
  it("tells who is calling", async () => {
    expect(
      await verify(
        await sign({
          claims: { premium_until: 1_900_000_000, auth_time: 1_700_000_000, grant_id: "a grant" },
        }),
      ),
    ).toEqual({
      subject: "someone",
      clientId: "demo",
      grantId: "a grant",
      scopes: new Set(["a:read", "b:write"]),
      roles: new Set(["member"]),
      emailVerified: true,
      authenticatedAt: new Date(1_700_000_000_000),
      premiumUntil: new Date(1_900_000_000_000),
    });
  });

  it("needs no more than RFC 9068 asks for", async () => {
    const bare = { scope: undefined, roles: undefined, email_verified: undefined };
    expect(await verify(await sign({ claims: bare }))).toMatchObject({
      scopes: new Set(),
      roles: new Set(),
      emailVerified: false,
      authenticatedAt: undefined,
      premiumUntil: undefined,
    });
  });

  it("may name several audiences, and a type spelled as a media type", async () => {
    await verify(await sign({ claims: { aud: ["other", "us"] } }));
    await verify(await sign({ header: { typ: "application/at+jwt" } }));
  });

  it("has its keys fetched once, however many come at a time", async () => {
    const tokens = await Promise.all(
      [1, 2, 3].map((jti) => sign({ claims: { jti: String(jti) } })),
    );
    await Promise.all(tokens.map((token) => verify(token)));
    expect(keyFetches).toBe(1);
  });
});

/** Row T1: forged. Each form beside the control, that a good token is still let in. */
describe("a forged access token is refused, and makes us fetch nothing (401)", () => {
  const forms: Record<string, () => Promise<string> | string> = {
    "alg none": () => `${unsigned({ header: { alg: "none" } })}.`,
    "alg None": () => `${unsigned({ header: { alg: "None" } })}.`,
    "alg none with a signature": async () =>
      `${unsigned({ header: { alg: "none" } })}.${signatureOf(await sign())}`,
    "an empty signature": () => `${unsigned()}.`,
    "no signature at all": () => unsigned(),
    "HS256 with our public key as PEM": async () => withHmac({}, await exportSPKI(ours.publicKey)),
    "HS256 with our public key as JWK": async () =>
      withHmac({}, JSON.stringify(await exportJWK(ours.publicKey))),
    "HS256 with a coordinate of our key": async () =>
      withHmac({}, Buffer.from(String((await exportJWK(ours.publicKey)).x), "base64url")),
    "HS256 with the RSA modulus": async () =>
      withHmac(
        { header: { kid: "rsa" } },
        Buffer.from(String((await exportJWK(rsa.publicKey)).n), "base64url"),
      ),
    "HS256 with an empty key": () => withHmac({}, ""),
    "RS256, though such a key is published": () =>
      sign({ header: { alg: "RS256", kid: "rsa" } }, rsa.privateKey),
    "another key under our kid": () => sign({}, theirs.privateKey),
    "another key under no kid": () => sign({ header: { kid: undefined } }, theirs.privateKey),
    "its key embedded (jwk)": async () =>
      sign({ header: { jwk: await exportJWK(theirs.publicKey) } }, theirs.privateKey),
    "its keys elsewhere (jku)": () =>
      sign({ header: { kid: "theirs", jku: `${trapUrl}/jwks` } }, theirs.privateKey),
    "its certificate elsewhere (x5u)": () =>
      sign({ header: { kid: "theirs", x5u: `${trapUrl}/cert` } }, theirs.privateKey),
    "a kid that is a URL": () => sign({ header: { kid: `${trapUrl}/jwks` } }, theirs.privateKey),
    "a kid that is a path": () =>
      sign({ header: { kid: "../../../../dev/null" } }, theirs.privateKey),
    "a kid that is an operator": async () =>
      `${encode(header({ kid: { $gt: "" } }))}.${encode(claims())}.${signatureOf(await sign())}`,
    "a kid of 1 MB": () => sign({ header: { kid: "k".repeat(1_000_000) } }, theirs.privateKey),
    "an unknown kid": () => sign({ header: { kid: "unknown" } }),
    "an unknown critical header": async () =>
      `${encode(header({ crit: ["exp2"], exp2: 1 }))}.${encode(claims())}.${signatureOf(await sign())}`,
    "an edited payload": async () => {
      const [head, , signature] = (await sign()).split(".");
      return `${head}.${encode(claims({ sub: "admin" }))}.${signature}`;
    },
    "four parts": async () => `${await sign()}.x`,
    "five parts": async () => `${await sign()}.x.y`,
    "odd base64": async () => `${await sign()}=`,
    "base64 that is not base64url": async () => (await sign()).replace(".", "+."),
    "a space inside": async () => (await sign()).replace(".", ". "),
    "no JSON": () => "a.b.c",
    "JSON null": () => `${encode(null)}.${encode(null)}.AA`,
    nothing: () => "",
  };

  it.each(Object.entries(forms))("%s", async (_, forge) => {
    expect(await refusal(await forge())).toBe(401);
    expect(await refusal(await sign())).toBe("let in");
    expect(trapped).toBe(0);
    expect(keyFetches).toBeLessThanOrEqual(1);
  });
});

/** Row T2: signed by us, but not an access token for us, now. */
describe("a token of ours that is not an access token for us, now, is refused (401)", () => {
  const wrong: Record<string, Parts> = {
    "an ID token": { header: { typ: "JWT" } },
    "no type": { header: { typ: undefined } },
    "a type that only begins right": { header: { typ: "at+jwt2" } },
    "another audience": { claims: { aud: "them" } },
    "no audience": { claims: { aud: undefined } },
    "an audience that only begins right": { claims: { aud: "us2" } },
    "another issuer": { claims: { iss: "http://elsewhere.example" } },
    "an issuer with a slash": { claims: { iss: "SELF/" } },
    "no issuer": { claims: { iss: undefined } },
    expired: { claims: { exp: nowSeconds() - 1 } },
    "no end": { claims: { exp: undefined } },
    "an end that is a text": { claims: { exp: "9999999999" } },
    "a beginning that is to come": { claims: { nbf: nowSeconds() + 60 } },
    "no subject": { claims: { sub: undefined } },
    "an empty subject": { claims: { sub: "" } },
    "a subject that is an operator": { claims: { sub: { $gt: "" } } },
    "no client": { claims: { client_id: undefined } },
    "a scope that is a list": { claims: { scope: ["a:read"] } },
    "roles that are a text": { claims: { roles: "admin" } },
    "a verified address that is a text": { claims: { email_verified: "true" } },
  };

  it.each(Object.entries(wrong))("%s", async (_, parts) => {
    const iss = parts.claims?.iss === "SELF/" ? { iss: `${origin}/` } : {};
    const token = await sign({ ...parts, claims: { ...parts.claims, ...iss } });
    expect(await refusal(token)).toBe(401);
    expect(await refusal(await sign())).toBe("let in");
  });
});

describe("time", () => {
  it("ends a token that was verified before", async () => {
    let now = Date.now();
    verify = verifierFrom(`${origin}/jwks`, () => now);
    const token = await sign({ claims: { exp: Math.floor(now / 1000) + 5 } });
    expect(await refusal(token)).toBe("let in");
    expect(await refusal(token)).toBe("let in");
    now += 5_000;
    expect(await refusal(token)).toBe(401);
    expect(await refusal(token)).toBe(401);
  });
});

describe("a revoked access token is refused, remembered or not (401)", () => {
  const until = nowSeconds() + 900;
  /** Of the token that is asked about, and the like that must not refuse it. */
  const forms: Record<string, { revoked: Revocation; other: Revocation }> = {
    "by the version of its account": {
      revoked: { kind: "account", id: "someone", below: 4, until },
      other: { kind: "account", id: "someone", below: 3, until },
    },
    "of an account": {
      revoked: { kind: "account", id: "someone", below: 4, until },
      other: { kind: "account", id: "somebody", below: 4, until },
    },
    "by its grant": {
      revoked: { kind: "grant", id: "a grant", until },
      other: { kind: "grant", id: "another grant", until },
    },
    "by its client": {
      revoked: { kind: "client", id: "demo", issuedBefore: nowSeconds() + 60, until },
      other: { kind: "client", id: "demo", issuedBefore: nowSeconds() - 60, until },
    },
    "by its key": {
      revoked: { kind: "key", id: "ours", until },
      other: { kind: "key", id: "theirs", until },
    },
  };
  const token = () => sign({ claims: { account_version: 3, grant_id: "a grant" } });

  it.each(Object.entries(forms))("%s", async (_, { revoked, other }) => {
    const [remembered, unknown] = [await token(), await token()];
    expect(await refusal(remembered)).toBe("let in");
    revocations.add([other]);
    expect(await refusal(remembered)).toBe("let in");
    revocations.add([revoked]);
    expect([await refusal(remembered), await refusal(unknown)]).toEqual([401, 401]);
    revocations.add([other]);
    expect([await refusal(remembered), await refusal(unknown)]).toEqual([401, 401]);
  });

  it("with the challenge of RFC 6750", async () => {
    revocations.add([{ kind: "grant", id: "a grant", until }]);
    const problem = await verify(await token()).catch((error: Problem) => error);
    expect(problem).toMatchObject({
      headers: { "WWW-Authenticate": 'Bearer error="invalid_token"' },
    });
  });

  it("and of one account, what was made later is let in", async () => {
    revocations.add([{ kind: "account", id: "someone", below: 4, until }]);
    expect(await refusal(await sign({ claims: { account_version: 3 } }))).toBe(401);
    expect(await refusal(await sign({ claims: { account_version: 4 } }))).toBe("let in");
    expect(await refusal(await sign({ claims: { account_version: undefined } }))).toBe(401);
  });

  it("a client alone has no grant and no version, and is let in", async () => {
    revocations.add([{ kind: "grant", id: "undefined", until }]);
    const own = { sub: "demo", grant_id: undefined, account_version: undefined };
    expect(await refusal(await sign({ claims: own }))).toBe("let in");
  });

  it("the key that signed it: it is forgotten at once, and the keys are read anew", async () => {
    let now = Date.now();
    revocations = createRevocationList(() => now);
    revocations.markComplete();
    verify = verifierFrom(`${origin}/jwks`);
    const known = await token();
    expect(await refusal(known)).toBe("let in");
    keysAnswer = { status: 200, body: '{"keys":[]}' };
    revocations.add([{ kind: "key", id: "ours", until }]);
    await vi.waitFor(() => expect(keyFetches).toBe(2));

    now += 3_600_000;
    revocations.add([{ kind: "grant", id: "another grant", until }]);
    expect(revocations.size()).toBe(1);
    expect(await refusal(known)).toBe(401);
  });
});

describe("when it is not known what is revoked", () => {
  it("nobody is let in, nor called wrong, until it is (503)", async () => {
    revocations = createRevocationList();
    verify = verifierFrom(`${origin}/jwks`);
    const token = await sign();
    const failure = await verify(token).catch((error: Problem) => error);
    expect(failure).toMatchObject({ status: 503, headers: { "Retry-After": "1" } });
    revocations.markComplete();
    expect(await refusal(token)).toBe("let in");
  });

  it("for a while, who is not known to be revoked is let in; for longer, nobody is (503)", async () => {
    const token = await sign();
    expect(await refusal(token)).toBe("let in");
    Object.assign(revocations, { isCurrent: () => false });
    expect(await refusal(token)).toBe(503);
    expect(await refusal(await sign())).toBe(503);
    expect(await refusal("a.b.c")).toBe(401);
  });
});

describe("when the keys cannot be had", () => {
  const unreachable = () => verifierFrom("http://127.0.0.1:1/jwks");

  it("a good token is not called wrong: try again (503)", async () => {
    verify = unreachable();
    const failure = await verify(await sign()).catch((error: Problem) => error);
    expect(failure).toMatchObject({ status: 503, headers: { "Retry-After": "1" } });
  });

  it.each([
    ["fails", 500, "no"],
    ["moved", 302, ""],
    ["answers no JSON", 200, "<html>"],
    ["answers no keys", 200, "{}"],
    ["answers a broken key", 200, '{"keys":[{"kty":"EC","crv":"P-256","kid":"ours"}]}'],
  ])("because their server %s, nobody is called wrong (503)", async (_, status, body) => {
    keysAnswer = { status, body };
    expect(await refusal(await sign())).toBe(503);
    keysAnswer = { status: 200, body: jwks };
  });

  it("because their server hangs, the caller waits seconds, not for ever (503)", async () => {
    const hanging = createServer(() => undefined);
    const jwksUrl = `${await listen(hanging)}/jwks`;
    verify = verifierFrom(jwksUrl);
    const startedAt = performance.now();
    expect(await refusal(await sign())).toBe(503);
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    hanging.closeAllConnections();
    hanging.close();
  });

  it.each(["nothing.at.all", "a.b", ""])(
    "what is no token is refused all the same: '%s' (401)",
    async (token) => {
      verify = unreachable();
      expect(await refusal(token)).toBe(401);
    },
  );

  it("a token of another algorithm is refused all the same (401)", async () => {
    verify = unreachable();
    expect(await refusal(withHmac({}, "key"))).toBe(401);
    expect(await refusal(`${unsigned({ header: { alg: "none" } })}.`)).toBe(401);
  });

  it("a token that was verified before still counts", async () => {
    const token = await sign();
    expect(await refusal(token)).toBe("let in");
    keysAnswer = { status: 500, body: "" };
    expect(await refusal(token)).toBe("let in");
  });
});

describe("when the keys were had once", () => {
  afterEach(() => vi.useRealTimers());

  it("they count while their server is away, however long; a key that is not among them is another matter (503)", async () => {
    expect(await refusal(await sign())).toBe("let in");
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3_600_000 });
    keysAnswer = { status: 500, body: "" };
    const issuedAt = Math.floor(Date.now() / 1000);
    const claims = { iat: issuedAt, exp: issuedAt + 60 };
    expect(await refusal(await sign({ claims }))).toBe("let in");
    expect(await refusal(await sign({ claims, header: { kid: "newer" } }))).toBe(503);
  });

  it("the service is ready, and not before", async () => {
    const verifier = verifierFrom(`${origin}/jwks`);
    keysAnswer = { status: 500, body: "" };
    await expect(verifier.check()).rejects.toThrow();
    keysAnswer = { status: 200, body: jwks };
    await verifier.check();
    keysAnswer = { status: 500, body: "" };
    await verifier.check();
    verify = verifier;
    expect(await refusal(await sign())).toBe("let in");
  });
});

describe("a flood of unknown key ids", () => {
  it("fetches the keys no more than once in 30 s", async () => {
    await verify(await sign());
    for (let flood = 0; flood < 50; flood += 1) {
      expect(await refusal(await sign({ header: { kid: `unknown-${flood}` } }))).toBe(401);
    }
    expect(keyFetches).toBe(1);
  });
});
