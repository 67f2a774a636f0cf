/** Workdirs that are made anew while the old ones go: a real file system, real agents, and a control plane of our own. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Mounts } from "../../packages/agent/src/bucket/mounts.ts";
import { freshWorkdir } from "../../packages/agent/src/inputs/fresh.ts";
import { Bench } from "./support/bench.ts";
import { until } from "./support/until.ts";

const mounts = { clear: async () => undefined } as unknown as Mounts;
const leavingIn = (folder: string): string[] => readdirSync(folder).filter(name => name.startsWith("."));

/** A workdir with so much in it that it takes a while to go. */
function full(folder: string): string {
  const workdir = join(folder, "job_a");
  for (let n = 0; n < 3000; n++) {
    if (n % 100 === 0) mkdirSync(join(workdir, `${n / 100}`), { recursive: true });
    writeFileSync(join(workdir, `${Math.floor(n / 100)}`, `${n}`), "");
  }
  return workdir;
}

test.concurrent("an old workdir that is still being removed takes nothing of the new one along", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ma-fresh-"));
  const workdir = full(folder);
  const places = { workdir, owner: undefined, mounts };
  const halt = new AbortController();
  const first = freshWorkdir(places, halt.signal);
  while (existsSync(workdir)) await setImmediate();
  halt.abort();
  await freshWorkdir(places, new AbortController().signal);
  writeFileSync(join(workdir, "new"), "7");
  expect(leavingIn(folder).length).toBe(1);
  await expect(first).rejects.toThrow("aborted");
  expect(leavingIn(folder)).toEqual([]);
  expect(readdirSync(workdir)).toEqual(["new"]);
  rmSync(folder, { recursive: true });
});

test.concurrent("an attempt that was given up before its turn leaves the workdir to the newer one", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ma-fresh-"));
  const workdir = join(folder, "job_a");
  const halt = new AbortController();
  const slow = Promise.withResolvers<void>();
  const late = { clear: () => slow.promise } as unknown as Mounts;
  const first = freshWorkdir({ workdir, owner: undefined, mounts: late }, halt.signal);
  halt.abort();
  await freshWorkdir({ workdir, owner: undefined, mounts }, new AbortController().signal);
  writeFileSync(join(workdir, "new"), "7");
  slow.resolve();
  await expect(first).rejects.toThrow("aborted");
  expect(readdirSync(workdir)).toEqual(["new"]);
  rmSync(folder, { recursive: true });
});

test.concurrent("what a crash kept from going is gone when the next agent is there, and links lead nowhere", async () => {
  await using bench = await Bench.open();
  const folder = join(bench.home.jobs, "muster");
  const precious = join(bench.home.root, "precious");
  mkdirSync(precious);
  writeFileSync(join(precious, "file"), "keep");
  mkdirSync(join(folder, ".muster-leaving-1/deep"), { recursive: true });
  writeFileSync(join(folder, ".muster-leaving-1/deep/x"), "");
  symlinkSync(precious, join(folder, ".muster-leaving-2"));
  mkdirSync(join(folder, "job_z"));
  await bench.agent();
  await until("them to be gone", () => leavingIn(folder).length === 0);
  expect(readdirSync(folder)).toEqual(["job_z"]);
  expect(readFileSync(join(precious, "file"), "utf8")).toBe("keep");
});
