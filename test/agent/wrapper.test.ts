/** The wrapper round every script, run as it is by the bash of this machine. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { WRAPPER } from "../../packages/agent/src/script/texts.ts";

/** Runs a script that ends at once, and sends TERM to the whole group the moment its exit code is there. */
async function hurried(root: string, turn: number): Promise<string> {
  const folder = join(root, String(turn));
  mkdirSync(join(folder, "out"), { recursive: true });
  writeFileSync(join(folder, "wrap.sh"), WRAPPER);
  writeFileSync(join(folder, "run.sh"), "echo whole");
  const args = ["-p", join(folder, "wrap.sh"), folder, "run", "unlimited", "bash", join(folder, "run.sh")];
  const wrapper = spawn("bash", args, { detached: true, stdio: "ignore" });
  const ended = once(wrapper, "exit");
  while (!existsSync(join(folder, "run.exit"))) await new Promise(resolve => setImmediate(resolve));
  try {
    process.kill(-(wrapper.pid ?? Number.NaN), "SIGTERM");
  } catch {
    // The whole group has ended meanwhile: then this turn proves nothing, and the next one may.
  }
  await ended;
  return readFileSync(join(folder, "out", "run.log"), "utf8");
}

test("output is whole though the group gets TERM before the reader of the pipe has begun", async () => {
  const root = mkdtempSync(join(tmpdir(), "mw-"));
  try {
    for (let turn = 0; turn < 300; turn++) expect(await hurried(root, turn)).toBe("whole\n");
  } finally {
    rmSync(root, { recursive: true });
  }
});
