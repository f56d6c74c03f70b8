/**
 * The protocol library with nothing around it: one client, in memory, and access tokens signed with ES256 as
 * the library signs them itself. Run as a process; sends its port.
 */
import { generateKeyPairSync } from "node:crypto";
import type { AddressInfo } from "node:net";
import { Provider } from "oidc-provider";

const [clientId = "", clientSecret = ""] = process.argv.slice(2);
const issuer = "http://127.0.0.1";
const scope = "posts:read";
const tokenLifetimeS = 600;

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

const provider = new Provider(issuer, {
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "ES256", use: "sig" }] },
  clients: [
    {
      client_id: clientId,
      client_secret: clientSecret,
      grant_types: ["client_credentials"],
      response_types: [],
      redirect_uris: [],
      id_token_signed_response_alg: "ES256",
    },
  ],
  scopes: [scope],
  ttl: { ClientCredentials: tokenLifetimeS },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => issuer,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope,
        audience: issuer,
        accessTokenFormat: "jwt",
        accessTokenTTL: tokenLifetimeS,
        jwt: { sign: { alg: "ES256" } },
      }),
    },
  },
});

const server = provider.listen(0, "127.0.0.1", () => {
  process.send?.((server.address() as AddressInfo).port);
});
