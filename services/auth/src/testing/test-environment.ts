import { randomBytes } from "node:crypto";
import type { TestDatabase } from "@portico/dev-env";
import type { Inbox } from "@portico/sandboxes";

/** The environment of an auth that people reach at `origin`. */
export const testEnvironment = (
  origin: string,
  database: TestDatabase,
  inbox: Inbox,
): Record<string, string> => ({
  MONGODB_URI: database.mongodbUri,
  REDIS_URL: database.redisUrl,
  ISSUER: `${origin}/auth`,
  AUDIENCE: origin,
  JWKS_URL: `${origin}/auth/jwks`,
  PUBLIC_ORIGIN: origin,
  FRONTEND_URL: "https://app.example",
  // Everybody in a test is at 127.0.0.1.
  ATTEMPTS_PER_PLACE: "10000",
  // Nobody listens there: a test that exports says where somebody does.
  SERVICE_ORIGINS: ["posts", "payments", "cards", "patients"]
    .map((name) => `${name}=http://127.0.0.1:9`)
    .join(","),
  SMTP_URL: inbox.smtpUrl,
  EMAIL_FROM: "Portico <no-reply@portico.localhost>",
  KEY_ENCRYPTION_KEY: randomBytes(32).toString("base64url"),
  COOKIE_KEYS: "a-key-that-only-tests-use",
});
