/**
 * `make clients`: client libraries of other languages, unmodified, through a running Portico, or else one of their
 * own. Those of npm are in `make test`. What this machine cannot run is left out, and said.
 */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import {
  createThrowawayFolder,
  Failure,
  pythonPackages,
  removeThrowawayFolder,
  showProgress,
  startPlatform,
} from "@portico/dev-env";

const execute = promisify(execFile);
const here = import.meta.dirname;
const runningPlatform = join(here, "..", "..", ".portico", "ready.json");
const progress = showProgress();
const walkTimeoutMs = 90_000;

/** In the order in which each program prints them, one line for each that passed. */
const steps = [
  "discover",
  "sign-in",
  "id-token",
  "trailing-slash",
  "userinfo",
  "refresh",
  "logout",
] as const;

interface Program {
  command: string;
  arguments: string[];
  env?: NodeJS.ProcessEnv;
}

interface Client {
  name: string;
  language: Program;
  /** @param folder for what is only built for this run */
  prepare(folder: string): Promise<Program>;
}

interface Walk {
  name: string;
  passed: ReadonlySet<string>;
  /** What went wrong, in the program's own words. */
  trouble?: string;
}

const authlib: Client = {
  name: "Authlib",
  language: { command: "python3", arguments: ["--version"] },
  async prepare() {
    const folder = join(here, "authlib");
    const requirements = await readFile(join(folder, "requirements.txt"), "utf8");
    const packages = await pythonPackages(requirements.trim().split("\n"), progress, "Authlib");
    const env = { ...process.env, PYTHONPATH: packages };
    return { command: "python3", arguments: [join(folder, "walk.py")], env };
  },
};

const goOidc: Client = {
  name: "go-oidc",
  language: { command: "go", arguments: ["version"] },
  async prepare(folder) {
    const cwd = join(here, "go-oidc");
    const fetched = execute("go", ["mod", "download"], { cwd });
    await fetched.catch(({ stderr }) => {
      throw new Failure(`its modules cannot be fetched: ${lastLine(stderr)}`);
    });
    const program = join(folder, "go-oidc");
    await execute("go", ["build", "-o", program, "."], { cwd });
    return { command: program, arguments: [] };
  },
};

async function clients(): Promise<void> {
  const folder = await createThrowawayFolder();
  try {
    await using platform = await findPlatform(folder);
    const walks: Walk[] = [];
    for (const client of [authlib, goOidc]) {
      const walk = await walkOrLeaveOut(client, platform.readyFile, folder);
      if (walk) walks.push(walk);
    }
    printTable(walks);
    if (walks.some(({ trouble }) => trouble)) process.exitCode = 1;
  } finally {
    await removeThrowawayFolder(folder);
  }
}

/** What `make up` started, which this leaves running, or one with free ports and throwaway data. */
async function findPlatform(folder: string): Promise<AsyncDisposable & { readyFile: string }> {
  if (await isAnswering(runningPlatform)) {
    return { readyFile: runningPlatform, async [Symbol.asyncDispose]() {} };
  }
  console.log("Starting a Portico of its own: free ports, throwaway data.");
  const platform = await startPlatform({ folder, ports: "free", progress });
  return {
    readyFile: join(folder, "ready.json"),
    [Symbol.asyncDispose]: () => platform.stop(),
  };
}

async function isAnswering(readyFile: string): Promise<boolean> {
  const text = await readFile(readyFile, "utf8").catch(() => undefined);
  if (text === undefined) return false;
  const { gateway } = JSON.parse(text);
  const reply = fetch(`${gateway}/auth/jwks`, { signal: AbortSignal.timeout(5_000) });
  return reply.then(({ ok }) => ok).catch(() => false);
}

async function walkOrLeaveOut(
  client: Client,
  readyFile: string,
  folder: string,
): Promise<Walk | undefined> {
  console.log(`\n${client.name}`);
  try {
    await requireLanguage(client);
    return await walkWith(client.name, await client.prepare(folder), readyFile);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.log(`  left out: ${error.message}`);
    return undefined;
  }
}

async function requireLanguage({ language }: Client): Promise<void> {
  await execute(language.command, language.arguments).catch(() => {
    throw new Failure(`${language.command} is not on this machine, or does not run.`);
  });
}

async function walkWith(name: string, program: Program, readyFile: string): Promise<Walk> {
  const { stdout, trouble } = await execute(program.command, [...program.arguments, readyFile], {
    env: program.env,
    timeout: walkTimeoutMs,
  }).then(
    ({ stdout }) => ({ stdout, trouble: undefined }),
    ({ stdout, stderr, message }) => ({ stdout, trouble: String(stderr || message) }),
  );
  process.stdout.write(indented(stdout));
  if (trouble) process.stdout.write(indented(trouble));
  const passed = new Set(linesOf(stdout).map((line) => line.split(" ", 1)[0] ?? ""));
  const missing = steps.filter((step) => !passed.has(step));
  return { name, passed, trouble: trouble ?? (missing.join(", ") || undefined) };
}

function printTable(walks: readonly Walk[]): void {
  const nameWidth = 12;
  const row = (name: string, cells: readonly string[]) =>
    console.log(`${name.padEnd(nameWidth)}${cells.join("  ")}`.trimEnd());
  console.log();
  row("", steps);
  for (const { name, passed } of walks) {
    row(
      name,
      steps.map((step) => (passed.has(step) ? "✓" : "✗").padEnd(step.length)),
    );
  }
}

const linesOf = (text: string): string[] => text.split("\n").filter(Boolean);

const indented = (text: string): string =>
  linesOf(text)
    .map((line) => `  ${line}\n`)
    .join("");

const lastLine = (text: string): string => linesOf(text).at(-1) ?? "it does not say why.";

try {
  await clients();
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
