/** Better Auth 1.6 on the same mongod, reached at its own port: no gateway in between. */
import { equal } from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { cachedFolder } from "@portico/dev-env";
import { startServer } from "../../child.ts";
import type { Bench } from "../../comparison.ts";
import type { Contender } from "../../load/in-turn.ts";
import { type Request, repeatedly } from "../../load/requests.ts";
import { json, send } from "../../load/send.ts";
import { installFromLock } from "../install-from-lock.ts";

const here = import.meta.dirname;

export interface BetterAuth extends AsyncDisposable {
  getSession: Contender;
}

export async function startBetterAuth({ platform, folder, progress }: Bench): Promise<BetterAuth> {
  const installed = await install(progress);
  // A program finds its packages from where it is.
  const program = join(installed, "server.mjs");
  await copyFile(join(here, "server.mjs"), program);
  const mongodb = new URL(platform.ready.stores.mongodb);
  mongodb.pathname = "/bench-better-auth";
  const env = { ...process.env, NODE_ENV: "production" };
  const server = await startServer(program, [mongodb.href], { folder, env });
  const origin = `http://127.0.0.1:${server.port}`;
  try {
    const cookie = await signedIn(origin);
    const name = "Better Auth 1.6.34, GET /api/auth/get-session";
    return { ...server, getSession: repeatedly(name, () => getSession(origin, cookie)) };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

async function install(progress: Bench["progress"]): Promise<string> {
  const lock = await readFile(join(here, "package-lock.json"));
  const hash = createHash("sha256").update(lock).digest("hex").slice(0, 16);
  const what = "Better Auth";
  const fill = (unfinished: string) => installFromLock(what, here, unfinished);
  return cachedFolder({ name: `better-auth-${hash}`, what, fill }, progress);
}

const getSession = (origin: string, cookie: string): Request => ({
  url: `${origin}/api/auth/get-session`,
  headers: { Cookie: cookie },
});

/** Signs somebody up, and makes sure that the session is what it should be, for its owner and for nobody else. */
async function signedIn(origin: string): Promise<string> {
  const person = { email: "ada@portico.example", name: "Ada", password: randomUUID() };
  const signUp = json(person);
  const headers = { ...signUp.headers, Origin: origin };
  const response = await fetch(`${origin}/api/auth/sign-up/email`, { ...signUp, headers });
  const [cookie = ""] = (response.headers.get("set-cookie") ?? "").split(";");

  const answer = await send(getSession(origin, cookie));
  equal(JSON.parse(answer.body).user.email, person.email, "Better Auth answers somebody else");
  const forged = cookie.replace(/=.{4}/, "=AAAA");
  equal((await send(getSession(origin, forged))).body, "null", "Better Auth takes a wrong cookie");
  return cookie;
}
