import { readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createThrowawayFolder, removeThrowawayFolder } from "../testing/throwaway-folder.ts";
import { readConfiguration, repositoryRoot } from "./configuration.ts";
import { isFree } from "./free-ports.ts";
import { requireFreePorts, takeFreePorts } from "./ports.ts";
import { givenVariables, readSecrets } from "./secrets.ts";

let folder: string;
beforeEach(async () => {
  folder = await createThrowawayFolder();
});
afterEach(() => removeThrowawayFolder(folder));

const configured = async () =>
  JSON.parse(await readFile(join(repositoryRoot, "portico.config.json"), "utf8"));

async function read(content: string) {
  await writeFile(join(folder, "portico.config.json"), content);
  return readConfiguration(folder);
}

test("portico.config.json > as committed is usable", async () => {
  expect(await readConfiguration()).toMatchObject({ name: "Portico", ports: { gateway: 8080 } });
});

test("portico.config.json > every mistake is named in one line", async () => {
  const { ports, ...rest } = await configured();
  const broken = { ...rest, ports: { ...ports, gateway: "8080", redis: 80 }, unknown: 1 };
  const failure = await read(JSON.stringify(broken)).catch((error: Error) => error.message);
  expect(failure).toMatch(/ports\.gateway: .*; ports\.redis: .*unknown/);
  expect(failure).not.toContain("\n");
});

test("portico.config.json > that is missing, or not JSON, is said so", async () => {
  await expect(readConfiguration(folder)).rejects.toThrow(/portico.config.json is missing/);
  await expect(read("{")).rejects.toThrow(/portico.config.json is not JSON/);
});

test("ports > one in use is named with what it is for and where to change it", async () => {
  const ports = await takeFreePorts();
  await expect(requireFreePorts(ports)).resolves.toBeUndefined();
  for (const [port, message] of [
    [ports.extend, `Port ${ports.extend} (the Extend sandbox) is in use by another program`],
    [
      ports.posts + 100,
      `Port ${ports.posts + 100} (operations of the posts service, ports.posts + 100)`,
    ],
  ] as const) {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, "127.0.0.1", resolve));
    const failure = await requireFreePorts(ports).catch((error: Error) => error.message);
    expect(failure).toContain(message);
    expect(failure).toMatch(/change ports\.(extend|posts) in portico\.config\.json\.$/);
    await new Promise((resolve) => other.close(resolve));
  }
});

test("ports > one that a program holds on every address is in use as well", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, resolve));
  const address = other.address();
  const port = typeof address === "object" && address ? address.port : 0;
  expect(await isFree(port)).toBe(false);
  await new Promise((resolve) => other.close(resolve));
});

test("secrets > are generated once, differ between folders, and only their owner reads them", async () => {
  const [first, again] = [
    await readSecrets({ folder, given: {} }),
    await readSecrets({ folder, given: {} }),
  ];
  expect(again).toEqual(first);
  const { mode } = await stat(join(folder, "secrets.json"));
  expect(mode & 0o777).toBe(0o600);
  const other = await createThrowawayFolder();
  expect((await readSecrets({ folder: other, given: {} })).COOKIE_KEYS).not.toBe(first.COOKIE_KEYS);
  await removeThrowawayFolder(other);
});

test("secrets > what a person set wins, the environment over .env, and is not written down", async () => {
  await writeFile(
    join(folder, ".env"),
    'EXTEND_API_KEY="from-file"\nEXTEND_API_SECRET=from-file\n',
  );
  const given = await givenVariables(folder, { EXTEND_API_KEY: "from-environment" });
  const secrets = await readSecrets({ folder, given });
  expect(secrets).toMatchObject({
    EXTEND_API_KEY: "from-environment",
    EXTEND_API_SECRET: "from-file",
  });
  expect(await readFile(join(folder, "secrets.json"), "utf8")).not.toContain("from-");
});

test("secrets > the key encryption key is one key of 32 bytes", async () => {
  const { KEY_ENCRYPTION_KEY } = await readSecrets({ folder, given: {} });
  expect(KEY_ENCRYPTION_KEY).toMatch(/^[\w-]{43}$/);
  expect(Buffer.from(KEY_ENCRYPTION_KEY, "base64url")).toHaveLength(32);
});
