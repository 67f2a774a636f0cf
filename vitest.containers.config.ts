import { defineConfig } from "vitest/config";

/** They need Docker, or Podman with `MUSTER_TEST_ENGINE=podman`, and root or a user who may use it. */
export default defineConfig({
  test: {
    include: ["test/containers/**/*.test.ts"],
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
