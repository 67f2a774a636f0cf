/** Real processes, found by their environment as the kernel shows it. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MARKER, membersOf } from "../../packages/agent/src/script/processes.ts";
import { until } from "../support/until.ts";

const LOOKS = 500;

test(`a process that becomes another program all the time is seen in each of ${LOOKS} looks`, async () => {
  const folder = mkdtempSync(join(tmpdir(), "processes-"));
  const script = join(folder, "again.sh");
  // While the kernel puts a program in the place of another, the process has neither environment nor command.
  writeFileSync(script, 'exec /bin/sh "$0"\n');
  const child = spawn("/bin/sh", [script], {
    detached: true,
    stdio: "ignore",
    env: { ...process.env, [MARKER]: folder },
  });
  try {
    await until("it to begin", () => membersOf(folder).length === 1);
    const seen = Array.from({ length: LOOKS }, () => membersOf(folder).length);
    expect(seen.filter(members => members !== 1).length).toBe(0);
  } finally {
    process.kill(-(child.pid ?? 0), "SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});
