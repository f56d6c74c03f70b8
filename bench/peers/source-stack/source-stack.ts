/** The source's own stack: FastAPI under uvicorn, on a PostgreSQL of its own, reached at its own port. */
import { equal } from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { findFreePorts, pythonPackages } from "@portico/dev-env";
import { startChild, waitUntil } from "../../child.ts";
import type { Bench } from "../../comparison.ts";
import type { Contender } from "../../load/in-turn.ts";
import { type Request, repeatedly } from "../../load/requests.ts";
import { bearer, send } from "../../load/send.ts";
import { startPostgres } from "./postgres.ts";

const run = promisify(execFile);
const here = import.meta.dirname;
const startsWithinMs = 20_000;
const email = "ada@portico.example";

export interface SourceStack extends AsyncDisposable {
  /** One for each number of workers asked for. */
  usersMe: Contender[];
}

export async function startSourceStack(bench: Bench, workers: number[]): Promise<SourceStack> {
  const requirements = (await readFile(join(here, "requirements.txt"), "utf8")).trim().split("\n");
  const packages = await pythonPackages(requirements, bench.progress, "FastAPI");
  await using stack = new AsyncDisposableStack();
  const postgres = stack.use(await startPostgres(bench));
  const env = {
    ...process.env,
    PYTHONPATH: packages,
    PYTHONDONTWRITEBYTECODE: "1",
    DATABASE_URL: `postgresql+asyncpg://bench@127.0.0.1:${postgres.port}/postgres`,
    SECRET_KEY: randomBytes(32).toString("hex"),
  };
  const seeded = await run("python3", [join(here, "seed.py"), email], { env, cwd: here });
  const token = seeded.stdout.trim();

  const usersMe: Contender[] = [];
  for (const count of workers) {
    const me = stack.use(await startUvicorn(bench, env, count));
    await requireSame(me.url, token);
    const name = `FastAPI, ${count} uvicorn worker${count > 1 ? "s" : ""}, GET /api/users/me`;
    usersMe.push(repeatedly(name, () => asked(me.url, token)));
  }
  const started = stack.move();
  return { usersMe, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

async function startUvicorn({ folder }: Bench, env: NodeJS.ProcessEnv, workers: number) {
  const [port = 0] = await findFreePorts(1);
  const address = ["--host", "127.0.0.1", "--port", String(port), "--workers", String(workers)];
  const quick = ["--loop", "uvloop", "--http", "httptools", "--no-access-log"];
  const name = `uvicorn-${workers}`;
  const args = ["-m", "uvicorn", "app:app", ...address, ...quick, "--log-level", "warning"];
  const child = startChild("python3", args, { folder, name, env, cwd: here });
  const url = `http://127.0.0.1:${port}/api/users/me`;
  await waitUntil(async () => (await send({ url })).status === 401, child, startsWithinMs);
  return { ...child, url };
}

const asked = (url: string, token: string): Request => ({ url, headers: bearer(token) });

/** It answers the user whose token it is, and nobody with another one. */
async function requireSame(url: string, token: string): Promise<void> {
  const answer = await send(asked(url, token));
  equal(JSON.parse(answer.body).email, email, "FastAPI answers somebody else");
  const forged = `${token.slice(0, -4)}AAAA`;
  equal((await send(asked(url, forged))).status, 401, "FastAPI takes a wrong token");
}
