import type { TestProject } from "vitest/node";
import { startTestStores, type TestStores } from "./test-stores.ts";

declare module "vitest" {
  interface ProvidedContext {
    stores: TestStores;
  }
}

/** One mongod and one Redis for a whole run of tests; each test file takes a database of its own in them. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { mongodb, redis, stop } = await startTestStores();
  project.provide("stores", { mongodb, redis });
  return stop;
}
