/**
 * Families, as the protocol library asks for its refresh tokens. Its handler finds a token, checks client,
 * grant, DPoP and account, takes a token that reads as consumed for a stolen one, and saves a successor.
 * The family moves on only with that last step, so a request that is refused costs nobody their session.
 */
import { type Adapter, errors, Provider } from "oidc-provider";
import type { FamilyStore } from "./family-store.ts";
import { judge, type RefreshTokenFormat } from "./refresh-token.ts";

export function refreshTokenAdapter(tokens: RefreshTokenFormat, families: FamilyStore): Adapter {
  /** Of tokens that the library got from us or from `nameSuccessors`. */
  const own = (id: string) => {
    const token = tokens.read(id);
    if (!token) throw new Error("This refresh token was not made here.");
    return token;
  };

  return {
    async find(value) {
      const token = tokens.read(value);
      const found = token && (await families.find(token.family));
      if (!found) return undefined;
      const reused = judge(token.generation, found.generation) === "reused";
      return { ...found.payload, jti: value, ...(reused && { consumed: true }) };
    },

    /** Nothing yet: a successor follows, and until it is saved the token is as good as it was. */
    consume: () => Promise.resolve(),

    async upsert(id, { jti: _, ...payload }, expiresInS = 0) {
      const { family, generation } = own(id);
      const kept = { payload, expiresAt: new Date(Date.now() + expiresInS * 1000) };
      if (generation === 0) {
        await families.begin(family, kept);
      } else if (!(await families.advance(family, generation, kept))) {
        throw new errors.InvalidGrant("refresh token revoked");
      }
    },

    destroy: (id) => families.end(own(id).family),
    revokeByGrantId: (grantId) => families.endOfGrant(grantId),
    findByUid: () => Promise.resolve(undefined),
    findByUserCode: () => Promise.resolve(undefined),
  };
}

/** A new token is the successor of the one that the request presented, or the first of a family. */
export function nameSuccessors(provider: Provider, tokens: RefreshTokenFormat): void {
  const generateTokenId = (): string => {
    const rotated = Provider.ctx?.oidc.entities.RotatedRefreshToken;
    const predecessor = rotated && tokens.read(rotated.jti);
    return predecessor ? tokens.successorOf(predecessor) : tokens.begin();
  };
  Object.defineProperty(provider.RefreshToken.prototype, "generateTokenId", {
    value: generateTokenId,
  });
}
