import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // They have commands of their own: they need Python, SST's platform, Docker or Podman, or much time.
    exclude: [
      ...["test/aws/**", "test/stacks/**", "test/cli/remote/**", "test/containers/**"],
      ...["test/long/**", "test/**/*.long.test.ts"],
    ],
    maxWorkers: 2,
    // Journeys start real processes and share two cores with each other.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What is polled for may be a process that boots on a busy machine; a second is no verdict.
    expect: { poll: { timeout: 20_000 } },
  },
});
