/**
 * Jobs that fill the disk which the agent is on: real agents and real processes; the control plane is a server of our own.
 * Where the test's user may mount one, that is a small disk in memory. Elsewhere only the room that the agent keeps is seen to.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Record, sweep } from "../../packages/agent/src/attempt/record.ts";
import { Ballast } from "../../packages/agent/src/ballast.ts";
import { Bench } from "./support/bench.ts";
import { until } from "./support/until.ts";

const [MOUNT, UNMOUNT] = ["mount", "umount"] as const;

/** A disk of some megabytes; undefined where this user may not mount any. */
function smallDisk(): string | undefined {
  const place = mkdtempSync(join(tmpdir(), "ma-disk-"));
  const { status } = spawnSync(MOUNT, ["-t", "tmpfs", "-o", "size=16m", "tmpfs", place], { stdio: "ignore" });
  onTestFinished(() => {
    if (status === 0) execFileSync(UNMOUNT, ["-l", place]);
    rmSync(place, { recursive: true, force: true });
  });
  return status === 0 ? place : undefined;
}

test("a job that has filled the disk is told over, with all that it had printed until then, and so is the next", async () => {
  const place = smallDisk();
  if (place === undefined) return expect(process.getuid?.()).not.toBe(0);
  await using bench = await Bench.open(place);
  bench.plane.assign("job_a", { setup: "echo begun", run: "cat /dev/zero >~/fill || true; echo lost; exit 3" });
  await bench.agent();
  expect(await bench.exit("job_a", 1, 30_000)).toMatchObject({ cause: "exited", exitCode: 3, logsComplete: false });
  expect(bench.plane.log("job_a", "setup")).toBe("begun\n");
  expect(bench.plane.log("job_a", "muster")).toContain("the log of run is not whole");
  rmSync(join(bench.home.jobs, "fill"));
  bench.plane.assign("job_b", { run: "echo room" });
  await bench.kick();
  expect(await bench.exit("job_b")).toMatchObject({ exitCode: 0, logsComplete: true });
  await until("there is room again for the next time", () => existsSync(bench.home.ballast));
});

test("what cannot be removed of an attempt keeps neither it nor the next agent from going on", () => {
  const attempts = mkdtempSync(join(tmpdir(), "ma-left-"));
  const logs = { url: "", fields: {}, prefix: "", maxBytes: 1, expiresAt: 0 };
  const lists = { secretNames: [], mounts: [], packages: [], secretFiles: [] };
  const ref = { jobId: "job_a", fence: 1, rank: 0, onError: "stop" as const, env: {}, grace: 1, logs };
  const record = Record.create(attempts, { ...ref, ...lists }, 0);
  const stuck = join(record.folder, "in");
  mkdirSync(join(stuck, "deep"), { recursive: true });
  // What root has mounted not even root removes; where nobody may mount, a folder's rights do the same.
  const isMounted = spawnSync(MOUNT, ["-t", "tmpfs", "tmpfs", join(stuck, "deep")], { stdio: "ignore" }).status === 0;
  if (!isMounted) chmodSync(stuck, 0o500);
  record.remove();
  expect(existsSync(record.folder)).toBe(false);
  const [left = ""] = readdirSync(attempts);
  sweep(attempts);
  expect(existsSync(join(attempts, left, "in", "deep"))).toBe(true);
  if (isMounted) execFileSync(UNMOUNT, [join(attempts, left, "in", "deep")]);
  else chmodSync(join(attempts, left, "in"), 0o700);
  sweep(attempts);
  expect(readdirSync(attempts)).toEqual([]);
  rmSync(attempts, { recursive: true });
});

test("the room that is kept goes when there is no other, and for nothing else", () => {
  const folder = mkdtempSync(join(tmpdir(), "ma-ballast-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "ballast");
  const ballast = new Ballast(path);
  ballast.fill();
  expect(statSync(path).size).toBe(4_000_000);
  ballast.dropFor(Object.assign(new Error("no"), { code: "EACCES" }));
  expect(existsSync(path)).toBe(true);
  ballast.dropFor(Object.assign(new Error("full"), { code: "ENOSPC" }));
  expect(existsSync(path)).toBe(false);
});
