import { operationsPort } from "../configuration/ports.ts";
import { type ServiceName, serviceNames } from "../configuration/services.ts";
import type { Stores } from "../stores/start-stores.ts";
import { identityProviderOf } from "./identity-provider.ts";
import type { PlatformSettings } from "./platform-settings.ts";

type Environment = Record<string, string>;

/** What a service reads in its `config.ts`: the same variables that the chart sets on a cluster. */
export function serviceEnvironment(
  settings: PlatformSettings,
  stores: Stores,
  name: ServiceName,
): Environment {
  const { ports, issuer, origin } = settings;
  return {
    HOST: "127.0.0.1",
    PORT: String(ports[name]),
    OPS_PORT: String(operationsPort(ports, name)),
    LOG_LEVEL: "info",
    MONGODB_URI: stores.mongodbUriOf(name),
    REDIS_URL: stores.redisUrlOf(name),
    ISSUER: issuer,
    AUDIENCE: origin,
    JWKS_URL: `http://127.0.0.1:${ports.auth}/auth/jwks`,
    REVOCATIONS_URL: `http://127.0.0.1:${operationsPort(ports, "auth")}/revocations`,
    ...ownVariables[name]?.(settings),
  };
}

const ownVariables: Partial<Record<ServiceName, (settings: PlatformSettings) => Environment>> = {
  auth: ({ origin, frontendUrl, ports, secrets, configuration }) => ({
    PUBLIC_ORIGIN: origin,
    FRONTEND_URL: frontendUrl,
    // Envoy. Everybody on a laptop has one address, and so has a suite of tests.
    TRUSTED_HOPS: "1",
    ATTEMPTS_PER_PLACE: "1000",
    TEST_EMAIL_DOMAIN: "portico.test",
    TEST_INBOX_URL: `http://127.0.0.1:${ports.mailbox}`,
    SERVICE_ORIGINS: serviceNames
      .filter((name) => name !== "auth")
      .map((name) => `${name}=http://127.0.0.1:${ports[name]}`)
      .join(","),
    SMTP_URL: `smtp://127.0.0.1:${ports.smtp}`,
    EMAIL_FROM: configuration.email.from,
    KEY_ENCRYPTION_KEY: secrets.KEY_ENCRYPTION_KEY,
    COOKIE_KEYS: secrets.COOKIE_KEYS,
    IDENTITY_PROVIDERS: JSON.stringify([identityProviderOf({ configuration, ports, secrets })]),
  }),
  cards: ({ ports, secrets }) => ({
    EXTEND_URL: `http://127.0.0.1:${ports.extend}`,
    EXTEND_API_KEY: secrets.EXTEND_API_KEY,
    EXTEND_API_SECRET: secrets.EXTEND_API_SECRET,
  }),
};
