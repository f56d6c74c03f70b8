/** Environment -> typed, frozen configuration; fails with every mistake at once, never with a value. */
import { z } from "zod";

const port = z.coerce.number().int().min(0).max(65_535);

/** One key for each variable: `INBOX_SMTP_PORT` and so on. */
export const Environment = z
  .object({
    HOST: z.string().default("127.0.0.1").describe("Address to listen on"),
    INBOX_SMTP_PORT: port.default(8026).describe("SMTP of the inbox"),
    INBOX_HTTP_PORT: port.default(8025).describe("Page and API of the inbox"),
    INBOX_USER: z.string().min(1).optional().describe("Asked of clients that send mail"),
    INBOX_PASSWORD: z.string().min(1).optional().describe("Goes with it (secret)"),
    EXTEND_PORT: port.default(8027).describe("The Extend sandbox"),
    EXTEND_API_KEY: z.string().min(1).describe("Key that its clients present (secret)"),
    EXTEND_API_SECRET: z.string().min(1).describe("Goes with it (secret)"),
    IDENTITY_PROVIDER_PORT: port.default(8028).describe("The OpenID Connect provider"),
    IDENTITY_PROVIDER_ISSUER: z.url().optional().describe("How browsers and its client reach it"),
    IDENTITY_PROVIDER_CLIENT_ID: z.string().min(1).default("portico").describe("Its client"),
    IDENTITY_PROVIDER_CLIENT_SECRET: z.string().min(1).describe("Goes with it (secret)"),
    IDENTITY_PROVIDER_REDIRECT_URI: z.url().describe("Where that client takes people back"),
    OPS_PORT: port.optional().describe("`/healthz`; absent: none"),
  })
  .refine((read) => (read.INBOX_USER === undefined) === (read.INBOX_PASSWORD === undefined), {
    path: ["INBOX_PASSWORD"],
    error: "goes with INBOX_USER: set both or neither",
  });

export type Config = Readonly<z.output<typeof Environment>>;

export function readConfig(environment: Record<string, string | undefined>): Config {
  // An empty variable is what a shell or a chart leaves of one that is not set.
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ""),
  );
  const parsed = Environment.safeParse(given, {
    error: ({ input }) => (input === undefined ? "is required" : undefined),
  });
  if (parsed.success) return Object.freeze(parsed.data);
  const lines = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new Error(`The configuration is not valid:\n  ${lines.join("\n  ")}`);
}
