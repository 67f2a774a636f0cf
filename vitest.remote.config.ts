import { defineConfig } from "vitest/config";

/** The command line against control planes that it does not own: many processes, one after the other. */
export default defineConfig({
  test: {
    include: ["test/cli/remote/**/*.test.ts"],
    globalSetup: "test/support/bundled.ts",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
