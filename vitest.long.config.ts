import { defineConfig } from "vitest/config";

/** What takes more time than one wants to wait for each day: properties over many cases, long journeys. */
export default defineConfig({
  test: {
    include: ["test/long/**/*.test.ts", "test/**/*.long.test.ts"],
    maxWorkers: 2,
    testTimeout: 600_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
  },
});
