import { defineConfig } from "vitest/config";

/** They have commands of their own: they need Python, SST's platform, Docker or Podman, or much time. */
const ELSEWHERE = [
  ...["test/aws/**", "test/stacks/**", "test/cli/remote/**", "test/containers/**"],
  ...["test/long/**", "test/**/*.long.test.ts"],
];

/** Nothing of these is kept in a module, and none of them starts a process: what a worker has loaded does for the next file, too. */
const PURE = ["core", "task", "catalog", "login", "api", "machine"].map(folder => `test/${folder}/**/*.test.ts`);

export default defineConfig({
  test: {
    maxWorkers: 2,
    // Journeys start real processes and share two cores with each other.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What is polled for may be a process that boots on a busy machine; a second is no verdict.
    expect: { poll: { timeout: 20_000 } },
    projects: [
      { extends: true, test: { name: "pure", include: PURE, exclude: ELSEWHERE, isolate: false } },
      { extends: true, test: { name: "rest", include: ["test/**/*.test.ts"], exclude: [...ELSEWHERE, ...PURE] } },
    ],
  },
});
