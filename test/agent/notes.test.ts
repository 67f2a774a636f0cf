/** What is said at the end of an attempt's log, read from a record on the disk. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Assignment } from "@muster/core/agent/protocol.ts";
import { expect, onTestFinished, test } from "vitest";
import { lossesOf, notesOf } from "../../packages/agent/src/attempt/notes.ts";
import { Record } from "../../packages/agent/src/attempt/record.ts";
import { Quota } from "../../packages/agent/src/logs/quota.ts";

function record(changes: Partial<Assignment> = {}): Record {
  const folder = mkdtempSync(join(tmpdir(), "ma-notes-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "attempts"));
  const logs = { url: "", fields: {}, prefix: "", maxBytes: 1, expiresAt: 0 };
  const lists = { secretNames: [], mounts: [], packages: [], secretFiles: [] };
  const assignment = { jobId: "job_a", fence: 1, rank: 0, onError: "continue" as const, env: {}, grace: 1, logs };
  return Record.create(join(folder, "attempts"), { ...assignment, ...lists, ...changes }, 0);
}

test("a script that failed in a loop for days ends as any other: of its failed lines the first are read", () => {
  const mine = record();
  const failed = join(mine.folder, "run.sh.failed");
  writeFileSync(failed, `3 1 ${join(mine.folder, "run.sh")}\n`.repeat(2000));
  // Longer than any text that Node holds.
  truncateSync(failed, 3_000_000_000);
  expect(notesOf(mine, { cause: "exited", exitCode: 0 })).toMatch(/^line 3 exited with 1, \d+ more failed after it/);
});

test("a workdir that was cloned says which commit it is at, where there is one", () => {
  const mine = record({ workdir: { url: "https://git.example/a.git" } });
  mine.update({ commit: "abc" });
  expect(notesOf(mine, { cause: "exited" })).toBe("the workdir is commit abc of https://git.example/a.git\n");
  mine.update({ commit: "" });
  expect(notesOf(mine, { cause: "exited" })).toBe("");
});

test("what was said of the cut at once stands first: it may have been sent", () => {
  const mine = record({ logQuota: 5 });
  writeFileSync(join(mine.folder, "out", "run.log"), "1234567890");
  new Quota(mine.folder, 5).note();
  const sent = readFileSync(join(mine.folder, "out", "muster.log"), "utf8");
  const notes = notesOf(mine, { cause: "exited", exitCode: 0 }, "checkpoint: 3 files are back\n");
  expect(notes.startsWith(`${sent}checkpoint: 3 files are back\n`)).toBe(true);
  expect(notes).toContain("the log was cut: of the 10 B that were printed");
});

test("a part of the log for which the disk had no room is told of; one that is over the quota is not", () => {
  const mine = record({ logQuota: 5 });
  writeFileSync(join(mine.folder, "run.lost"), "");
  writeFileSync(join(mine.folder, "out", "run.log"), "1");
  writeFileSync(join(mine.folder, "setup.lost"), "");
  writeFileSync(join(mine.folder, "out", "setup.log"), "");
  truncateSync(join(mine.folder, "out", "setup.log"), 2_000_000);
  expect(lossesOf(mine)).toEqual(["the log of run is not whole: not all of it could be written to the host's disk"]);
  expect(notesOf(mine, { cause: "exited" })).toContain("the log of run is not whole");
});
