import { defineConfig } from "vitest/config";

/** What it promises is a time, so it runs when nothing else does. */
const ALONE = "tests/recovery/**";
const testing = "packages/dev-env/src/testing";

export default defineConfig({
  test: {
    maxWorkers: 4,
    // A worker keeps the modules that it has loaded: every file has its own database, ports and app anyway.
    isolate: false,
    projects: [
      {
        test: {
          name: "services",
          include: ["{services,packages,gateway,k8s}/**/*.test.ts"],
          globalSetup: [`${testing}/stores.global-setup.ts`],
          setupFiles: [`${testing}/guard-network.setup.ts`],
          testTimeout: 20_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "journeys",
          include: ["tests/**/*.test.ts"],
          exclude: [ALONE],
          globalSetup: [`${testing}/platform.global-setup.ts`],
          setupFiles: [`${testing}/guard-network.setup.ts`],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "recovery",
          include: [ALONE],
          sequence: { groupOrder: 1 },
          setupFiles: [`${testing}/guard-network.setup.ts`],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
