/** The stacks' types, by the TypeScript compiler against SST's own sources. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./harness/platform.ts";

test("sst.config.ts and the stacks are typed", () => {
  const { status, stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", "stacks/tsconfig.json"], {
    cwd: root,
    encoding: "utf8",
  });
  expect([status, stdout]).toEqual([0, ""]);
});
