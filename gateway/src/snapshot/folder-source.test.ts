import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createFolderSource } from "./folder-source.ts";
import type { ObjectSource } from "./object-source.ts";

let folder: string;
let source: ObjectSource;
const put = (name: string, text: string) => writeFile(join(folder, name), text);
const names = async () =>
  (await source.list()).objects.map(({ value }) => (value as { name: string }).name);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "portico-objects-"));
  source = createFolderSource([folder], { relistMs: 50 });
});

afterEach(async () => {
  source.stop();
  await rm(folder, { recursive: true, force: true });
});

test("folder source > lists every document of every YAML file, and nothing else", async () => {
  await put("b.yml", "name: three");
  await put("a.yaml", "name: one\n---\n\n---\nname: two");
  await put("notes.txt", "name: four");
  expect((await source.list()).objects).toEqual([
    { origin: "a.yaml#1", value: { name: "one" } },
    { origin: "a.yaml#3", value: { name: "two" } },
    { origin: "b.yml#1", value: { name: "three" } },
  ]);
});

test("folder source > a file that breaks keeps its last objects, and the line is told", async () => {
  await put("a.yaml", "name: one");
  await put("b.yaml", "name: two");
  await names();
  await put("a.yaml", "name: one\n  - broken: [");
  const { objects, problems } = await source.list();
  expect(objects.map(({ origin }) => origin)).toEqual(["a.yaml#1", "b.yaml#1"]);
  expect(problems).toEqual([
    {
      origin: join(folder, "a.yaml"),
      message: expect.stringMatching(/ at line 1, column 7 \(its last objects stay\)$/),
    },
  ]);
  await put("a.yaml", "name: mended");
  expect(await source.list()).toMatchObject({ problems: [] });
  expect(await names()).toEqual(["mended", "two"]);
});

test("folder source > a file that is empty for a moment, as while it is saved, takes nothing away", async () => {
  await put("a.yaml", "name: one");
  await names();
  await put("a.yaml", "");
  expect(await names()).toEqual(["one"]);
});

test("folder source > a file that is deleted takes its objects away", async () => {
  await put("a.yaml", "name: one");
  await names();
  await rm(join(folder, "a.yaml"));
  expect(await names()).toEqual([]);
});

test("folder source > a folder that is missing is an error, not an empty listing", async () => {
  await rm(folder, { recursive: true });
  await expect(source.list()).rejects.toThrow("ENOENT");
});

test("folder source > tells of a change by itself", async () => {
  const changed = vi.fn();
  await put("a.yaml", "name: one");
  await names();
  source.watch(changed);
  await put("a.yaml", "name: changed");
  await vi.waitFor(() => expect(changed).toHaveBeenCalled());
});

test("folder source > finds by the slow pass what no event told, and a folder that is made again", async () => {
  const changed = vi.fn();
  await put("a.yaml", "name: one");
  await names();
  const parked = `${folder}-parked`;
  await rename(folder, parked);
  source.watch(changed);
  await rename(parked, folder);
  await put("a.yaml", "name: changed");
  await vi.waitFor(() => expect(changed).toHaveBeenCalled());
  expect(await names()).toEqual(["changed"]);
});
