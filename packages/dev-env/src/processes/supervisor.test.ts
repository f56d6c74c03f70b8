import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { findFreePorts } from "../configuration/free-ports.ts";
import { createTestSupervisor } from "../testing/test-supervisor.ts";
import { createThrowawayFolder, removeThrowawayFolder } from "../testing/throwaway-folder.ts";
import type { ProcessSpec } from "./managed-process.ts";
import { identify, isAlive } from "./process-identity.ts";
import { acceptsConnections } from "./readiness.ts";
import { endOrphans, findSupervisor, readRun } from "./run-file.ts";
import { Supervisor } from "./supervisor.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function testSupervisor(...[options]: Parameters<typeof createTestSupervisor>) {
  const created = await createTestSupervisor(options);
  cleanUps.push(created.stop);
  return created;
}

const LISTEN = "require('node:net').createServer().listen(Number(process.argv[1]), '127.0.0.1')";

async function listener(name: string, script = LISTEN): Promise<ProcessSpec> {
  const [port = 0] = await findFreePorts(1);
  return {
    name,
    stage: "services",
    command: process.execPath,
    args: ["-e", script, String(port)],
    port,
    isReady: acceptsConnections(port),
  };
}

const alive = (pid: number | undefined) => pid !== undefined && identify(pid) !== undefined;

test("supervisor > a process killed with -9 is back within 5 s under a new pid, again and again", async () => {
  const log = vi.fn();
  const { supervisor } = await testSupervisor({ log });
  const spec = await listener("one");
  await supervisor.start(spec);

  for (let round = 0; round < 3; round++) {
    const before = supervisor.processes()[0]?.pid;
    supervisor.kill("one");
    await vi.waitFor(
      async () => {
        expect(supervisor.processes()[0]?.pid).not.toBe(before);
        expect(await spec.isReady()).toBe(true);
      },
      { timeout: 5000, interval: 50 },
    );
  }
  const lines = log.mock.calls.flat().join("\n");
  expect(lines).toContain("one died (SIGKILL)");
  await vi.waitFor(() => expect(log.mock.calls.flat().join("\n")).toContain("one is back after"));
});

test("supervisor > tells when a pid changes", async () => {
  const onChange = vi.fn();
  const { supervisor } = await testSupervisor({ onChange });
  await supervisor.start(await listener("one"));
  expect(onChange).toHaveBeenCalledTimes(1);
  supervisor.kill("one");
  await vi.waitFor(() => expect(onChange).toHaveBeenCalledTimes(2), { timeout: 5000 });
});

test("supervisor > a process that dies before it is ready is reported with its last words", async () => {
  const { supervisor } = await testSupervisor();
  const spec = await listener("one", "console.error('no such key'); process.exit(3)");
  await expect(supervisor.start(spec)).rejects.toThrow(
    /one ended at once \(exit code 3\): no such key/,
  );
});

test("supervisor > a command that does not exist is reported", async () => {
  const { supervisor } = await testSupervisor();
  const spec = { ...(await listener("one")), command: "/nowhere/program" };
  await expect(supervisor.start(spec)).rejects.toThrow(/one ended at once/);
});

test("supervisor > stops whoever uses a store before the store", async () => {
  const { supervisor, folder } = await testSupervisor();
  const ended = join(folder, "ended");
  const script = `${LISTEN};process.on('SIGTERM',()=>{require('node:fs').appendFileSync('${ended}',process.argv[2]);process.exit()})`;
  for (const stage of ["stores", "services", "edge"] as const) {
    const spec = await listener(stage, script);
    await supervisor.start({ ...spec, stage, args: [...spec.args, `${stage} `] });
  }
  await supervisor.stop();
  expect(await readFile(ended, "utf8")).toBe("edge services stores ");
  expect(readRun(folder)).toBeUndefined();
});

test("supervisor > gives a child its own environment, not the person's", async () => {
  vi.stubEnv("STRIPE_SECRET_KEY", "from-the-shell");
  const { supervisor, folder } = await testSupervisor();
  const spec = await listener("one", `console.log(JSON.stringify(process.env));${LISTEN}`);
  await supervisor.start({ ...spec, env: { PORT: "1" } });
  const environment = JSON.parse(await readFile(join(folder, "logs", "one.log"), "utf8"));
  expect(environment).toMatchObject({ PORT: "1" });
  expect(environment).not.toHaveProperty("STRIPE_SECRET_KEY");
  vi.unstubAllEnvs();
});

test("supervisor > a second one in the same folder is refused", async () => {
  const { folder } = await testSupervisor();
  await expect(Supervisor.create({ folder })).rejects.toThrow("Already running");
  expect(findSupervisor(folder)?.pid).toBe(process.pid);
});

test("orphans > what a supervisor killed with -9 left running is ended by the next one", async () => {
  const folder = await createThrowawayFolder();
  cleanUps.push(() => removeThrowawayFolder(folder));
  const spec = await listener("one");
  const program = join(folder, "supervise.ts");
  await writeFile(
    program,
    `import { Supervisor } from "${import.meta.dirname}/supervisor.ts";
     import { acceptsConnections } from "${import.meta.dirname}/readiness.ts";
     const supervisor = await Supervisor.create({ folder: "${folder}" });
     await supervisor.start({ ...${JSON.stringify(spec)}, isReady: acceptsConnections(${spec.port}) });
     console.log("ready");
     setInterval(() => {}, 1000);`,
  );
  const first = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve) => first.stdout.once("data", resolve));
  const orphan = readRun(folder)?.processes[0]?.pid;
  first.kill("SIGKILL");
  await new Promise((resolve) => first.once("exit", resolve));
  expect(alive(orphan)).toBe(true);

  const log = vi.fn();
  const supervisor = await Supervisor.create({ folder, log });
  expect(alive(orphan)).toBe(false);
  expect(log).toHaveBeenCalledWith("ended what was left running: one");
  await supervisor.stop();
});

test("orphans > a foreign process that was given a recorded pid is left alone", async () => {
  const folder = await createThrowawayFolder();
  cleanUps.push(() => removeThrowawayFolder(folder));
  const foreign = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  cleanUps.push(() => foreign.kill("SIGKILL"));
  const { pid = 0 } = foreign;
  await writeFile(
    join(folder, "run.json"),
    JSON.stringify({
      supervisor: { pid: 1, startedAt: "another boot/1" },
      processes: [{ name: "posts", pid, startedAt: "another boot/1" }],
    }),
  );
  expect(await endOrphans(folder)).toEqual([]);
  expect(alive(pid)).toBe(true);
});

test("isAlive > tells a process from a later one with the same pid", () => {
  const self = identify(process.pid);
  expect(self && isAlive(self)).toBe(true);
  expect(isAlive({ pid: process.pid, startedAt: "another boot/1" })).toBe(false);
});
