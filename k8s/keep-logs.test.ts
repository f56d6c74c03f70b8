import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { failuresIn } from "./keep-logs.ts";

test("failuresIn > finds what gateways answered with 5xx or not at all, and of which pod, and nothing else", async () => {
  const folder = await mkdtemp(join(tmpdir(), "portico-kept-"));
  try {
    const line = (status: number, details: string) => JSON.stringify({ status, details });
    const gateway = [line(200, "fine"), line(503, "gone"), line(0, "left"), line(404, "unknown")];
    await writeFile(join(folder, "gateway-1.envoy.log"), `${gateway.join("\n")}\n`);
    await writeFile(join(folder, "posts-1.posts.log"), `${line(503, "a service's own")}\n`);
    expect(await failuresIn(folder)).toEqual([
      `gateway-1.envoy.log: ${line(503, "gone")}`,
      `gateway-1.envoy.log: ${line(0, "left")}`,
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
