/** What a container is given is what its program reads: in the chart, and in docker-compose.yml. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { readConfig } from "@portico/service-kit";
import { afterAll, describe, expect, it, test } from "vitest";
import { parseAllDocuments } from "yaml";
import type { z } from "zod";
import { type ServiceName, serviceNames } from "../packages/dev-env/src/configuration/services.ts";
import { readConfig as readSandboxes } from "../packages/sandboxes/src/config.ts";

const root = join(import.meta.dirname, "..");
const setup = mkdtempSync(join(tmpdir(), "portico-compose-"));
afterAll(() => rmSync(setup, { recursive: true, force: true }));

const configOf = async (name: ServiceName): Promise<z.ZodObject> =>
  (await import(`../services/${name}/src/config.ts`)).Config;

/** Secrets as values.yaml lists them for a Secret of one's own. */
const secrets: Record<string, string> = {
  MONGODB_URI: "mongodb://elsewhere/db",
  REDIS_URL: "redis://elsewhere",
  SMTP_URL: "smtp://elsewhere",
  KEY_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString("base64url"),
  COOKIE_KEYS: "a".repeat(43),
  EXTEND_API_KEY: "key",
  EXTEND_API_SECRET: "secret",
};

type Variable = { name: string; value?: string };
const manifests = parseAllDocuments(readFileSync(join(root, "k8s/rendered/eks.yaml"), "utf8")).map(
  (one) => one.toJS(),
);
function chartVariables(name: ServiceName): Variable[] {
  const deployment = manifests.find(
    (object) => object?.kind === "Deployment" && object.metadata.name === name,
  );
  return deployment.spec.template.spec.containers[0].env;
}

describe.each(serviceNames)("%s", (name) => {
  it("reads its configuration from the chart's variables and the Secret's keys", async () => {
    const variables = chartVariables(name).map(({ name: key, value }) => [key, value] as const);
    const config = readConfig(await configOf(name), {
      ...secrets,
      ...Object.fromEntries(variables),
    });
    expect(config).toMatchObject({ port: 8080, opsPort: 9090 });
  });

  it("is given no variable that it does not read", async () => {
    const shape = Object.keys((await configOf(name)).shape);
    const known = shape.map((key) => key.replace(/[A-Z]/g, "_$&").toUpperCase());
    const given = chartVariables(name).map((variable) => variable.name);
    expect(given.filter((key) => !known.includes(key))).toEqual([]);
  });
});

const prepare = () =>
  execFileSync(process.execPath, [join(root, "packages/dev-env/src/compose/prepare.ts"), setup], {
    encoding: "utf8",
  });

test("compose > setup makes secrets once, and a configuration that each program accepts", async () => {
  const said = prepare();
  const before = readFileSync(join(setup, "auth.env"), "utf8");
  expect(prepare()).toBe(said);
  expect(readFileSync(join(setup, "auth.env"), "utf8")).toBe(before);

  const variables = (file: string) => parseEnv(readFileSync(join(setup, file), "utf8"));
  for (const name of serviceNames) {
    const config = readConfig(await configOf(name), variables(`${name}.env`));
    expect(config).toMatchObject({ issuer: "http://portico.localhost:8080/auth" });
  }
  expect(readSandboxes(variables("sandboxes.env"))).toMatchObject({ INBOX_SMTP_PORT: 8026 });
  expect(readFileSync(join(setup, "mongodb.key"), "utf8")).toMatch(/^[A-Za-z0-9+/]{6,1024}$/);
});
