/**
 * Configuration: environment variables -> one typed, frozen object, with every mistake reported at
 * once. A schema's keys are camelCase; `mongodbUri` is read from `MONGODB_URI`.
 */
import { inspect } from "node:util";
import { z } from "zod";

/** A value that cannot be printed by accident: say `reveal()` where it is used. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [inspect.custom](): string {
    return "[secret]";
  }
}

/** A required secret: never a default. */
export const secret = (description: string) =>
  z
    .string()
    .min(1)
    .transform((value) => new Secret(value))
    .meta({ description, secret: true });

const port = (description: string) =>
  z.coerce.number().int().min(0).max(65_535).meta({ description });

/** What every service reads; extend it with your own. */
export const ServiceConfig = z.object({
  host: z.string().default("0.0.0.0").meta({ description: "Address to listen on" }),
  port: port("Port of the API").default(8080),
  opsPort: port("Port of /healthz, /readyz and /metrics; the gateway never routes to it").default(
    9090,
  ),
  logLevel: z
    .enum(["debug", "info", "warn", "error"])
    .default("info")
    .meta({ description: "Least severe level that is logged" }),
  drainMs: z.coerce.number().int().min(0).default(0).meta({
    description:
      "Milliseconds, at most, between failing readiness and refusing connections; until nobody asks for a second",
  }),
  mongodbUri: secret("MongoDB connection string, database and user of this service"),
  issuer: z.url().meta({ description: "Issuer of the access tokens that are accepted" }),
  audience: z.string().min(1).meta({ description: "Audience that access tokens must name" }),
  jwksUrl: z.url().meta({ description: "Where the issuer's public keys are read" }),
  revocationsUrl: z
    .url()
    .meta({ description: "Where the issuer tells which access tokens are revoked" }),
});

/** For a program that only migrates: what it needs of the above. */
export const readMigrationConfig = () =>
  readConfig(ServiceConfig.pick({ mongodbUri: true, logLevel: true }), process.env);

/** For a service that uses Redis. */
export const redisUrl = secret("Redis connection string, user of this service");

/** `mongodbUri` -> `MONGODB_URI`. */
export const variableName = (key: string): string =>
  key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();

/** Thrown with one line for each wrong variable. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Reads a configuration, or throws a ConfigError that names every wrong variable, without values. */
export function readConfig<Schema extends z.ZodObject>(
  schema: Schema,
  environment: Record<string, string | undefined>,
): Readonly<z.output<Schema>> {
  const given = Object.keys(schema.shape)
    .map((key) => [key, environment[variableName(key)]] as const)
    .filter(([, value]) => value !== undefined && value !== "");
  const parsed = schema.safeParse(Object.fromEntries(given));
  if (parsed.success) return Object.freeze(parsed.data);
  const present = new Set(given.map(([key]) => key));
  const lines = parsed.error.issues.map(({ path: [key], message }) => {
    // No key: the schema compares several variables, and its message names them.
    if (key === undefined) return message;
    return `${variableName(String(key))}: ${present.has(String(key)) ? message : "is required"}`;
  });
  throw new ConfigError(`The configuration is not valid:\n  ${lines.join("\n  ")}`);
}

/** The configuration as a Markdown table, for a service's README. */
export function describeConfig(schema: z.ZodObject): string {
  const rows = Object.entries(schema.shape).map(([key, field]) => {
    const type = field as z.ZodType;
    const meta = type.meta() ?? (type instanceof z.ZodDefault ? innerMeta(type) : undefined);
    const note = meta?.secret ? `${defaultOf(type)}, secret` : defaultOf(type);
    return `| \`${variableName(key)}\` | ${meta?.description ?? ""} | ${note} |`;
  });
  return ["| variable | meaning | default |", "| --- | --- | --- |", ...rows].join("\n");
}

const defaultOf = (type: z.ZodType): string => {
  if (type instanceof z.ZodDefault) return `\`${type.def.defaultValue}\``;
  return type instanceof z.ZodOptional ? "none" : "required";
};

const innerMeta = (type: z.ZodDefault): Record<string, unknown> | undefined =>
  (type.unwrap() as z.ZodType).meta();
