/** Planted bugs against the code as it is: each changes a text that is there. Whether they are found is for `npm run sim:bugs`. */
import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { bugs } from "./bugs.ts";

const root = new URL("../../../", import.meta.url).pathname;
const files = globSync(["packages/core/src/**/*.ts", "test/simulation/**/*.ts"], { cwd: root });

test.each(Object.entries(bugs))("%s has its place", (_, changes) => {
  for (const { file, from, to } of changes) {
    const found = files.filter(path => path.endsWith(file));
    expect(found, file).toHaveLength(1);
    expect(readFileSync(`${root}${found[0]}`, "utf8").split(from).length - 1, `${file}: ${from}`).toBe(1);
    expect(to).not.toBe(from);
  }
});
