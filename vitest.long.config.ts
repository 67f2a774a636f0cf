import { defineConfig } from "vitest/config";

/** Properties over many cases, which take more time than one wants to wait for each day. */
export default defineConfig({
  test: {
    include: ["test/long/**/*.test.ts"],
    maxWorkers: 2,
    testTimeout: 600_000,
  },
});
