import type { Logger } from "@portico/service-kit";
import type { Provider } from "oidc-provider";

/**
 * The audit line of a theft. The library has ended the grant by then, and with it every family and token
 * made under it; for a request to refresh it does so for this one reason.
 */
export function logReuse(provider: Provider, logger: Logger): void {
  provider.on("grant.revoked", ({ oidc }, grantId) => {
    const token = oidc.entities.RefreshToken;
    if (oidc.params?.grant_type !== "refresh_token" || !token) return;
    const { accountId, clientId } = token;
    logger.warn("refresh-token.reused", { accountId, clientId, grantId });
  });
}
