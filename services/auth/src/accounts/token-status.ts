import { answer, anyone, endpoint } from "@portico/service-kit";
import { z } from "zod";
import type { ReadAccessToken } from "../oidc/read-access-token.ts";
import type { FreshAccounts } from "./fresh-accounts.ts";

const Inactive = z.object({ active: z.literal(false) });

const Active = z.object({
  active: z.literal(true),
  subject: z.string().meta({ description: "Id of the account, or of a client for itself" }),
  clientId: z.string(),
  scope: z.string(),
  expiresAt: z.iso.datetime(),
  emailVerified: z.boolean(),
  premium: z.boolean(),
  premiumUntil: z.iso.datetime().nullable(),
});

const TokenStatus = z.discriminatedUnion("active", [Inactive, Active]).meta({ id: "TokenStatus" });

type TokenStatus = z.input<typeof TokenStatus>;

/** Longer than any token of ours, and short enough to be looked at. */
const longestToken = 8_192;

/**
 * As introspection (RFC 7662) for whoever holds the token, and with the account as it stands now: what
 * the token itself says may be ten minutes old. Why a token is not active is nobody's business there.
 */
export const tokenStatus = (readAccessToken: ReadAccessToken, accounts: FreshAccounts) => {
  const statusOf = async (token: string): Promise<TokenStatus> => {
    const claims = token.length > longestToken ? undefined : await readAccessToken(token);
    if (!claims) return { active: false };
    const isClients = claims.sub === claims.client_id;
    const account = isClients ? undefined : await accounts.find(claims.sub);
    if (!isClients && account?.status !== "active") return { active: false };
    const premiumUntil = account?.premiumUntil ?? null;
    return {
      active: true,
      subject: claims.sub,
      clientId: claims.client_id,
      scope: claims.scope,
      expiresAt: new Date(claims.exp * 1000).toISOString(),
      emailVerified: account?.emailVerified ?? false,
      premium: premiumUntil !== null && premiumUntil > new Date(),
      premiumUntil: premiumUntil?.toISOString() ?? null,
    };
  };

  return endpoint({
    method: "post",
    path: "/auth/token-status",
    summary: "Read whether a token is valid, its account verified and premium, and until when",
    description: "Of an access token that you hold. Anything else is answered as not active.",
    guard: anyone,
    body: z.object({ token: z.string() }),
    reply: { status: 200, body: TokenStatus, headers: { "Cache-Control": "no-store" } },

    handle: async ({ body: { token } }) =>
      answer(await statusOf(token), { headers: { "Cache-Control": "no-store" } }),
  });
};
