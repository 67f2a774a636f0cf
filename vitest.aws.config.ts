import { defineConfig } from "vitest/config";

/** What runs against moto: AWS in Python, which the suite installs for itself where python3 has it not. */
export default defineConfig({
  test: {
    include: ["test/aws/**/*.test.ts"],
    globalSetup: "test/aws/support/moto-nursery.ts",
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 180_000,
    // What is polled for may be a process that boots on a busy machine; a second is no verdict.
    expect: { poll: { timeout: 20_000 } },
  },
});
