import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readFolders } from "../commands/read-folders.ts";
import { explain } from "../explain/explain.ts";
import { readRequest } from "../explain/request.ts";
import { CLOSED_GATEWAY, policy, route, service, TOKENS } from "./given.ts";

/** The two commands, as a person runs them. */

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-commands-"));
  const rule = (name: string, path: string, more = "") =>
    `\n  - name: ${name}\n    matches: [{ path: { value: ${path} }${more} }]\n    backendRefs: [{ name: web, port: 80 }]`;
  await writeFile(
    join(folder, "objects.yaml"),
    [
      CLOSED_GATEWAY,
      TOKENS,
      service("web"),
      route(
        "web",
        `rules:${rule("write", "/posts", ", method: POST")}${rule("read", "/posts")}${rule("all", "/")}`,
      ),
      policy(
        "open",
        "targetRefs: [{ kind: HTTPRoute, name: web, sectionName: all }]\nrequirement: None",
      ),
      policy(
        "writers",
        "targetRefs: [{ kind: HTTPRoute, name: web, sectionName: write }]\nrequirement: Required\nscopes: [posts:write]",
      ),
      policy(
        "slow",
        "targetRefs: [{ kind: HTTPRoute, name: web, sectionName: read }]\nlimits: [{ by: { type: ClientAddress }, requests: 5, per: Minute }]",
        "RateLimitPolicy",
      ),
      policy("lost", "targetRefs: [{ kind: HTTPRoute, name: gone }]\nrequirement: None"),
    ].join("\n---\n"),
  );
});

afterAll(() => rm(folder, { recursive: true }));

function run(command: string, ...args: string[]) {
  const file = new URL(`../commands/${command}.ts`, import.meta.url).pathname;
  return new Promise<{ code: unknown; out: string; err: string }>((resolve) => {
    execFile(process.execPath, [file, ...args], (error, out, err) =>
      resolve({ code: error?.code ?? 0, out, err }),
    );
  });
}

test("print-envoy-config > prints what a folder comes to, and tells what is left out", async () => {
  const { code, out, err } = await run("print-envoy-config", folder);
  expect(code).toBe(0);
  const config = JSON.parse(out) as Record<string, { name: string }[]>;
  expect(Object.keys(config)).toEqual(["listeners", "routes", "clusters"]);
  expect(config.clusters?.map(({ name }) => name)).toContain("portico_web_80");
  expect(err).toContain(
    "refused: JWTPolicy portico/lost on HTTPRoute portico/gone: TargetNotFound",
  );
});

test("both commands > take several folders, as a laptop has them", async () => {
  const own = await mkdtemp(join(tmpdir(), "portico-commands-"));
  const more =
    "rules: [{ matches: [{ path: { value: /more } }], backendRefs: [{ name: web, port: 80 }] }]";
  await writeFile(join(own, "more.yaml"), route("more", more));
  const url = "http://localhost:8080/more";
  const [explained, printed, alone] = await Promise.all([
    run("explain-request", folder, own, "GET", url, "-H", "a: b"),
    run("print-envoy-config", own, folder),
    run("explain-request", folder, "GET", url),
  ]);
  expect(explained.out).toContain("Route portico/more/0, number 3 of those");
  expect(printed.out).toContain('"/more"');
  expect(alone.out).not.toContain("portico/more/0");
  await rm(own, { recursive: true });
});

test("explain-request > names the route, those that lost and why, and what policies ask", async () => {
  const { code, out } = await run(
    "explain-request",
    folder,
    "get",
    "http://localhost:8080/posts/1",
  );
  expect(code).toBe(0);
  expect(out).toContain("Listener on port 8080 of Gateway portico/portico");
  expect(out).toContain("not portico/web/write: its method is POST");
  expect(out).toContain("Route portico/web/read, number 2 of those that are tried");
  expect(out).toContain("goes to portico_web_80 with weight 1");
  expect(out).toContain(
    "RateLimitPolicy portico/slow/0 limits each ClientAddress to 5 in 60 s, 5 at once",
  );
  expect(out).toContain(
    "needs a token of https://portico.example/auth for https://portico.example",
  );
});

test("an explanation > tells of scopes, other spellings, no route and no listener", async () => {
  const model = await readFolders([folder]);
  const said = (method: string, path: string, port = 8080) =>
    explain(model, readRequest(method, `http://localhost:${port}${path}`, [])).join("\n");
  expect(said("POST", "/./posts//1")).toContain("Path /posts/1, as Envoy reads it");
  expect(said("POST", "/posts")).toContain(
    "JWTPolicy portico/writers asks for the scopes posts:write",
  );
  expect(said("GET", "/POSTS")).toContain("another spelling of /posts");
  expect(said("GET", "/other")).toContain("open: no token is looked at");
  expect(said("TRACE", "/")).toContain("Answer 405");
  expect(said("GET", "/", 9)).toContain("Nothing listens on port 9. Ports with a listener: 8080.");
});

test.each([
  ["posts", [], "posts is not a URL such as"],
  ["http://a/", ["odd"], "odd is not a header such as"],
  ["http://a/%2fb", [], "Envoy answers 400"],
])("a request for %s with headers %j > says what is wrong", (url, headers, message) => {
  expect(() => readRequest("GET", url, headers)).toThrow(message);
});

test.each([
  ["print-envoy-config", ["/nowhere"], "/nowhere is not a folder"],
  ["print-envoy-config", [".", "/nowhere"], "/nowhere is not a folder"],
  ["print-envoy-config", [], "Usage: "],
  ["explain-request", ["GET", "http://a/"], "Usage: "],
  ["explain-request", [".", "GET", "http://a/", "--odd"], "Unknown option '--odd'"],
])("%s %j > is answered with a sentence and not with a stack", async (command, args, message) => {
  const { code, out, err } = await run(command, ...args);
  expect(code).toBe(2);
  expect(out).toBe("");
  expect(err).toContain(message);
  expect(err).not.toMatch(/^\s+at /m);
});
