import { readConfig, redisUrl, ServiceConfig, secret } from "@portico/service-kit";
import { z } from "zod";
import { identityProviders } from "./identity-providers/identity-provider.ts";
import { keyEncryptionKey } from "./key-ring/key-ring.ts";
import { serviceOrigins } from "./personal-data/service-origins.ts";
import { Role } from "./roles/role.ts";

// It is auth that tells what is revoked.
export const Config = ServiceConfig.omit({ revocationsUrl: true }).extend({
  redisUrl,
  publicOrigin: z.url().meta({ description: "Where people reach the platform; links in mail" }),
  frontendUrl: z.url().meta({ description: "Where pages lead to when a person is done" }),
  trustedHops: z.coerce.number().int().min(0).max(8).default(0).meta({
    description:
      "Proxies in front that append to `X-Forwarded-For`, 1 behind the gateway; 0 believes nobody",
  }),
  attemptsPerPlace: z.coerce.number().int().min(1).default(100).meta({
    description:
      "What one client address may have in a quarter of an hour of failed sign-ins, sign-ups, resets, links, device codes",
  }),
  testEmailDomain: z
    .string()
    .regex(/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/)
    .optional()
    .meta({
      description: "Domain whose addresses are nobody's: anybody may have a test user there",
    }),
  testInboxUrl: z.url().optional().meta({
    description: "Sandbox inbox that receives mail to that domain; links in it follow themselves",
  }),
  serviceOrigins,
  smtpUrl: secret("SMTP server that takes the mail, `smtp://user:password@host:port`"),
  emailFrom: z.string().min(3).meta({ description: "Sender of every mail" }),
  signingKeyDays: z.coerce
    .number()
    .int()
    .min(1)
    .max(366)
    .default(30)
    .meta({ description: "Days for which a signing key signs, until the next one does" }),
  keyEncryptionKey,
  identityProviders,
  secondFactorRoles: z
    .string()
    .transform((value) => value.split(","))
    .pipe(Role.array())
    .meta({ description: "Roles, separated by commas, that must have a second factor" })
    .default([]),
  cookieKeys: secret("Keys that sign cookies, separated by commas; the first signs, all verify"),
});

export type AuthConfig = Readonly<z.output<typeof Config>>;

/** For both programs of this service: the server and the seed. */
export const readAuthConfig = (): AuthConfig => readConfig(Config, process.env);
