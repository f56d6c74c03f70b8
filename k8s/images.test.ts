import { globSync } from "node:fs";
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { images } from "./images.ts";

const root = join(import.meta.dirname, "..");
const read = (file: string) => readFile(join(root, file), "utf8");
const manifests = globSync("{services,packages}/*/package.json", { cwd: root })
  .concat("gateway/package.json")
  .sort();

describe.each(["Dockerfile", "Dockerfile.stores"])("%s", (file) => {
  it("hands npm the manifest of every workspace, without which it refuses the lock file", async () => {
    const copied = [...(await read(file)).matchAll(/^COPY (\S+\/package\.json)/gm)];
    expect(copied.map(([, manifest]) => manifest).sort()).toEqual(manifests);
  });

  it("does not end as root, and by number, so that Kubernetes can see it", async () => {
    const users = [...(await read(file)).matchAll(/^USER (\S+)/gm)].map(([, user]) => user);
    expect(users.at(-1)).toBe("1000:1000");
  });

  it("takes every variable of its stages from what builds it, or has a default", async () => {
    const text = await read(file);
    const needed = [...text.matchAll(/^ARG (\w+)$/gm)].map(([, name]) => name ?? "");
    const given = images.filter(({ dockerfile }) => dockerfile === file);
    const known = new Set(given.flatMap(({ args }) => Object.keys(args)));
    expect(needed.filter((name) => !known.has(name) && name !== "PIP_INDEX_URL")).toEqual([]);
    const unknown = [...known].filter((name) => !new RegExp(`^ARG ${name}\\b`, "m").test(text));
    expect(unknown).toEqual([]);
  });
});

test("images > nothing is sent to the builder but manifests and sources, without tests", async () => {
  const rules = (await read(".dockerignore")).split("\n").filter((line) => /^[^#]/.test(line));
  expect(rules[0]).toBe("*");
  const readmitted = rules.filter((rule) => rule.startsWith("!"));
  for (const rule of readmitted) expect(rule).toMatch(/\/src$|package(-lock)?\.json$/);
  const lastReadmitted = rules.findLastIndex((rule) => rule.startsWith("!"));
  for (const rule of ["**/node_modules", "**/*.test.ts", "**/testing"]) {
    expect(rules.indexOf(rule)).toBeGreaterThan(lastReadmitted);
  }
});

test("images > one for each program that the chart runs", async () => {
  const templates = globSync("helm/portico/templates/*.yaml", { cwd: root });
  const text = (await Promise.all(templates.map(read))).join("\n");
  const named = [...text.matchAll(/"component" "(\w+)"/g)].map(([, name]) => name);
  const known = images.map(({ name }) => name);
  for (const name of ["gateway", "envoy", "mongodb", "redis", "sandboxes"]) {
    expect(known).toContain(name);
    expect(named).toContain(name);
  }
});

test("images > each service migrates in a program of its own", async () => {
  for (const { args } of images) {
    if (args.SERVICE) await access(join(root, "services", args.SERVICE, "src", "migrate.ts"));
  }
});
