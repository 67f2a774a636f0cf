import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    maxWorkers: 2,
    // Journeys start real processes and share two cores with each other.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
