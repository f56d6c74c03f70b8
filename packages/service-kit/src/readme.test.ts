import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import {
  createTestDatabase,
  createTestIssuer,
  type TestDatabase,
  type TestIssuer,
} from "@portico/dev-env";
import { afterAll, beforeAll, describe, expect, inject, it, vi } from "vitest";
import { connectMongo } from "./mongo.ts";
import { createTestLogger } from "./testing/test-app.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
let database: TestDatabase;
let issuer: TestIssuer;
let service: ChildProcess;
let printed = "";
let url: string;
let opsUrl: string;

/** The first program of the README, run as it stands there. */
beforeAll(async () => {
  const readme = await readFile(`${root}/README.md`, "utf8");
  const program = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  [database, issuer] = await Promise.all([
    createTestDatabase(inject("stores")),
    createTestIssuer(),
  ]);
  const mongo = await connectMongo(database.mongodbUri, createTestLogger().logger);
  await mongo.getClient().db().collection("greetings").insertOne({ language: "en", word: "Hello" });
  await mongo.close();

  service = spawn(process.execPath, ["--input-type=module-typescript", "-"], {
    cwd: root,
    env: {
      HOST: "127.0.0.1",
      PORT: "0",
      OPS_PORT: "0",
      MONGODB_URI: database.mongodbUri,
      REDIS_URL: database.redisUrl,
      ISSUER: issuer.issuer,
      AUDIENCE: issuer.audience,
      JWKS_URL: issuer.jwksUrl,
      REVOCATIONS_URL: issuer.revocationsUrl,
    },
  });
  for (const stream of [service.stdout, service.stderr]) {
    stream?.on("data", (bytes) => {
      printed += bytes;
    });
  }
  service.stdin?.end(program);
  await vi.waitFor(() => expect(printed).toContain("service.listening"), { timeout: 15_000 });
  const line = JSON.parse(printed.split("\n").find((text) => text.includes("listening")) ?? "");
  url = `http://127.0.0.1:${line.port}`;
  opsUrl = `http://127.0.0.1:${line.opsPort}`;
});

afterAll(async () => {
  service.kill("SIGKILL");
  await Promise.all([database.drop(), issuer.close()]);
});

const greet = async (language: string, claims: Record<string, unknown> = {}) =>
  fetch(`${url}/greetings/${language}`, {
    headers: {
      authorization: `Bearer ${await issuer.signToken({ scope: "greetings:read", ...claims })}`,
    },
  });

describe("the service of the README", () => {
  it("answers, and refuses as it says", async () => {
    expect(await (await greet("en")).json()).toEqual({ text: "Hello, member-1" });
    expect((await greet("xx")).status).toBe(404);
    expect((await greet("english")).status).toBe(400);
    expect((await greet("en", { scope: "other:read" })).status).toBe(403);
    expect((await fetch(`${url}/greetings/en`)).status).toBe(401);
  });

  it("is documented, measured, logged and ready", async () => {
    const document = (await (await fetch(`${url}/greetings/openapi.json`)).json()) as {
      paths: Record<string, unknown>;
    };
    expect(Object.keys(document.paths)).toEqual(["/greetings/{language}"]);
    expect((await fetch(`${opsUrl}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${opsUrl}/metrics`)).text()).toContain(
      'route="/greetings/:language",status="200"',
    );
    expect(printed).toContain('"event":"request.handled"');
  });

  it("ends cleanly, and printed no secret", async () => {
    service.kill("SIGTERM");
    expect(await once(service, "exit")).toEqual([0, null]);
    expect(printed).toContain("service.stopped");
    expect(printed).not.toContain(new URL(database.mongodbUri).password);
  });
});
