import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { z } from "zod";
import { Failure } from "../failure.ts";

/** `portico.config.json`: the one file a person edits for the whole platform. Secrets never stand in it. */
export const repositoryRoot = resolve(import.meta.dirname, "../../../..");

const Port = z.number().int().min(1024).max(65_535);

/** What each port is for, as a person reads it when the port is taken. */
export const portPurposes = {
  gateway: "the gateway",
  mailbox: "the mailbox page",
  smtp: "the mailbox's SMTP server",
  extend: "the Extend sandbox",
  identityProvider: "the sandbox of an identity provider",
  mongodb: "MongoDB",
  redis: "Redis",
  auth: "the auth service",
  posts: "the posts service",
  payments: "the payments service",
  cards: "the cards service",
  patients: "the patients service",
  gatewayController: "the gateway controller",
  envoyAdmin: "Envoy's admin interface",
} as const;

export type PortName = keyof typeof portPurposes;
export type Ports = Record<PortName, number>;

const Configuration = z.strictObject({
  name: z.string().min(1),
  domain: z.hostname(),
  frontendUrl: z.url(),
  email: z.strictObject({ from: z.string().min(1) }),
  stripe: z.strictObject({ priceId: z.string().min(1) }),
  ports: z.record(z.enum(Object.keys(portPurposes) as [PortName, ...PortName[]]), Port),
});
export type Configuration = z.infer<typeof Configuration>;

export const CONFIGURATION_FILE = "portico.config.json";

export async function readConfiguration(root = repositoryRoot): Promise<Configuration> {
  const text = await readFile(join(root, CONFIGURATION_FILE), "utf8").catch(() => {
    throw new Failure(
      `${CONFIGURATION_FILE} is missing: restore it (git checkout ${CONFIGURATION_FILE}).`,
    );
  });
  const parsed = Configuration.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
  throw new Failure(`${CONFIGURATION_FILE} is not usable: ${mistakes.join("; ")}.`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Failure(`${CONFIGURATION_FILE} is not JSON: ${(error as Error).message}.`);
  }
}
