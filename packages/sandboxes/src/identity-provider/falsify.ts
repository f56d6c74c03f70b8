/** Makes a right answer of the protocol library wrong, in one thing only, as an order demands. */
import type { KoaContextWithOIDC } from "oidc-provider";
import type { IdentityProviderFaults, IdTokenFault } from "./faults.ts";
import {
  claimsOfJwt,
  generateSigningKey,
  type SigningKey,
  signJwt,
  unsignedJwt,
} from "./signing-keys.ts";

const elsewhere = "https://elsewhere.example";

const wrongClaims: Record<IdTokenFault, object> = {
  nonce: { nonce: "another-nonce" },
  aud: { aud: "another-client" },
  iss: { iss: elsewhere },
  exp: { iat: 1_600_000_000, exp: 1_600_003_600 },
  alg: {},
  signature: {},
};

async function falsifyIdToken(idToken: string, wrong: IdTokenFault, key: SigningKey) {
  const claims = { ...claimsOfJwt(idToken), ...wrongClaims[wrong] };
  if (wrong === "alg") return unsignedJwt(claims);
  // Under the name of the published key, by one that nobody published.
  const signing = wrong === "signature" ? { ...(await generateSigningKey()), kid: key.kid } : key;
  return signJwt(claims, signing);
}

/** Runs around the protocol library: its answer stands, and is not sent yet. */
export const falsify =
  (faults: IdentityProviderFaults, key: SigningKey) =>
  async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    await next();
    const answer = ctx.body as { id_token?: string } | undefined;
    if (ctx.oidc?.route === "token" && answer?.id_token) {
      const wrong = faults.take("id-token")?.wrong;
      if (wrong) answer.id_token = await falsifyIdToken(answer.id_token, wrong, key);
    }
    const location = URL.parse(ctx.response.get("location"));
    if (location?.searchParams.has("iss") && faults.take("response-issuer")) {
      location.searchParams.set("iss", elsewhere);
      ctx.set("location", location.href);
    }
  };
