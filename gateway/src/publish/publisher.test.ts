import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { EnvoyConfig, EnvoyResource } from "../envoy/envoy-config.ts";
import { createPublisher, type Publication } from "./publisher.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-envoy-"));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const resource = (name: string, version = 1): EnvoyResource => ({ "@type": "test", name, version });
const map = (...names: string[]) => new Map(names.map((name) => [name, resource(name)]));

function config(clusters: string[], version = 1): EnvoyConfig {
  return {
    listeners: map("listener"),
    routes: new Map([["listener", resource("listener", version)]]),
    clusters: map(...clusters),
    secrets: new Map(),
  };
}

async function read(file: string): Promise<{ version_info: string; resources: EnvoyResource[] }> {
  return JSON.parse(await readFile(join(folder, file), "utf8"));
}

async function started() {
  const publisher = createPublisher(folder, 8107);
  await publisher.prepare();
  return publisher;
}

const kindsOf = ({ written }: Publication) => written.map(({ kind }) => kind);

test("publisher > Envoy can start from the folder after the first version, and not before", async () => {
  const publisher = await started();
  expect(await readdir(folder)).not.toContain("bootstrap.json");
  expect(await read("listeners.json")).toMatchObject({ resources: [] });
  expect(await read("clusters.json")).toMatchObject({ resources: [] });
  await publisher.publish(config(["a"]));
  expect(await readFile(join(folder, "bootstrap.json"), "utf8")).toContain(
    join(folder, "listeners.json"),
  );
});

test("publisher > writes only files that changed", async () => {
  const publisher = await started();
  expect(kindsOf(await publisher.publish(config(["a", "b"])))).toEqual([
    ...["clusters", "routes", "listeners"],
  ]);
  expect(kindsOf(await publisher.publish(config(["a", "b"])))).toEqual([]);
  expect(kindsOf(await publisher.publish(config(["a", "b"], 2)))).toEqual(["routes"]);
});

test("publisher > a restart rewrites nothing that is the same, and keeps what was published", async () => {
  await (await started()).publish(config(["a"]));
  const before = await stat(join(folder, "clusters.json"));
  const again = await started();
  expect((await read("clusters.json")).resources).toHaveLength(1);
  expect(kindsOf(await again.publish(config(["a"])))).toEqual([]);
  expect((await stat(join(folder, "clusters.json"))).ino).toBe(before.ino);
});

test("publisher > a cluster goes only after the routes that named it", async () => {
  const publisher = await started();
  await publisher.publish(config(["old"]));
  const { written } = await publisher.publish(config(["new"], 2));
  expect(written.map(({ kind }) => kind)).toEqual(["clusters", "routes"]);
  const { version_info } = await read("clusters.json");
  expect(written.find(({ kind }) => kind === "clusters")?.version).toBe(version_info);
  expect((await read("clusters.json")).resources.map(({ name }) => name)).toEqual(["new"]);
});

test("publisher > routes that nothing names are removed one version later", async () => {
  const publisher = await started();
  const other = { ...config(["a"]), routes: map("other") };
  await publisher.publish(config(["a"]));
  await publisher.publish(other);
  expect(await readdir(join(folder, "routes"))).toEqual(["listener.pb", "other.pb"]);
  await publisher.publish(other);
  expect(await readdir(join(folder, "routes"))).toEqual(["other.pb"]);
});

test("publisher > leaves no temporary file behind", async () => {
  const publisher = await started();
  await publisher.publish(config(["a"]));
  expect(await readdir(folder, { recursive: true })).toEqual(
    expect.not.arrayContaining([expect.stringMatching(/\.new$/)]),
  );
});

const routes = () => readFile(join(folder, "routes", "listener.pb"));

test("publisher > a version is its content", async () => {
  const publisher = await started();
  await publisher.publish(config(["a"]));
  const first = await routes();
  const { written } = await publisher.publish(config(["a"], 2));
  expect((await routes()).equals(first)).toBe(false);
  expect((await routes()).includes(written[0]?.version ?? "none")).toBe(true);
  await publisher.publish(config(["a"]));
  expect((await routes()).equals(first)).toBe(true);
});

test("publisher > what Envoy has refused is taken back, and not handed to it again until it is another", async () => {
  const publisher = await started();
  await publisher.publish(config(["a"], 1));
  const first = await routes();
  const { written } = await publisher.publish(config(["a"], 2));
  await publisher.takeBack(written);
  expect((await routes()).equals(first)).toBe(true);
  const again = await publisher.publish(config(["a"], 2));
  expect(again).toEqual({ written: [], withheld: written });
  expect(await publisher.publish(config(["a"], 1))).toEqual({ written: [], withheld: [] });
  expect(kindsOf(await publisher.publish(config(["a"], 3)))).toEqual(["routes"]);
  expect((await routes()).equals(first)).toBe(false);
});

test("publisher > the very same resources cost nothing, and are written again after they were refused or removed", async () => {
  const publisher = await started();
  const same = config(["a"]);
  await publisher.publish(same);
  expect(await publisher.publish(same)).toEqual({ written: [], withheld: [] });
  const empty = { ...config([]), routes: map() };
  await publisher.publish(empty);
  await publisher.publish(empty);
  expect(await readdir(join(folder, "routes"))).toEqual([]);
  expect(kindsOf(await publisher.publish(same))).toEqual(["clusters", "routes"]);
  expect(await readdir(join(folder, "routes"))).toEqual(["listener.pb"]);
});
