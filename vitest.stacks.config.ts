import { defineConfig } from "vitest/config";

/** The deployment's resource graph: needs SST's platform, which is installed from npm where it is missing. */
export default defineConfig({
  test: {
    include: ["test/stacks/**/*.test.ts"],
    globalSetup: "test/stacks/harness/platform.ts",
    // Each graph is a process of its own.
    maxWorkers: 1,
    maxConcurrency: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
