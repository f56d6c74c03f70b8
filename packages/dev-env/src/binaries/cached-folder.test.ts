import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { silentProgress } from "../progress/progress.ts";
import { createThrowawayFolder, removeThrowawayFolder } from "../testing/throwaway-folder.ts";
import { cachedFolder } from "./cached-folder.ts";

let folder: string;

beforeEach(async () => {
  folder = await createThrowawayFolder();
  vi.stubEnv("PORTICO_CACHE", folder);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await removeThrowawayFolder(folder);
});

const contents = (fill: (unfinished: string) => Promise<void>) => ({
  name: "things-1",
  what: "things",
  fill,
});

test("cachedFolder > is filled by the first who needs it, and once", async () => {
  const fill = vi.fn((unfinished: string) => writeFile(join(unfinished, "thing"), "whole"));

  const first = await cachedFolder(contents(fill), silentProgress);
  const second = await cachedFolder(contents(fill), silentProgress);

  expect(await readFile(join(first, "thing"), "utf8")).toBe("whole");
  expect(second).toBe(first);
  expect(fill).toHaveBeenCalledTimes(1);
  expect(await readdir(folder)).toEqual(["things-1"]);
});

test("cachedFolder > what could not be fetched to the end is not taken for whole", async () => {
  const half = async (unfinished: string) => {
    await writeFile(join(unfinished, "thing"), "half");
    throw new Error("no network");
  };

  await expect(cachedFolder(contents(half), silentProgress)).rejects.toThrow("no network");

  expect(await readdir(folder)).toEqual([]);
});

test("cachedFolder > another run that was quicker is kept", async () => {
  const whole = join(folder, "things-1");
  const slow = async (unfinished: string) => {
    await writeFile(join(unfinished, "thing"), "slow");
    await mkdir(whole);
    await writeFile(join(whole, "thing"), "quick");
  };

  await cachedFolder(contents(slow), silentProgress);

  expect(await readFile(join(whole, "thing"), "utf8")).toBe("quick");
  expect(existsSync(join(folder, `.download-${process.pid}-things-1`))).toBe(false);
});
