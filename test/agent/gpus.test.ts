/** GPUs that are asked for, that are missing, and how busy they were; nvidia-smi is a script of our own, agents are real. */
import { ChildProcess } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { busyGpus, indices } from "../../packages/agent/src/host/gpus.ts";
import { missing } from "../../packages/agent/src/host/gpus-missing.ts";
import { Bench } from "./support/bench.ts";
import { until } from "./support/until.ts";

/** A folder with an nvidia-smi that does this. */
function smi(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "ma-smi-"));
  writeFileSync(join(folder, "nvidia-smi"), `#!/bin/sh\n${text}\n`);
  chmodSync(join(folder, "nvidia-smi"), 0o755);
  return folder;
}

const never = new AbortController().signal;

test("how busy GPUs are is not known when the tool takes too long; where it fails, there are none", async () => {
  expect(await busyGpus(join(smi("exec sleep 1000"), "nvidia-smi"), 100)).toBeUndefined();
  expect(await busyGpus(join(smi("exit 9"), "nvidia-smi"), 10_000)).toEqual([]);
  expect(await busyGpus(join(smi("echo 50; echo 0"), "nvidia-smi"), 10_000)).toEqual([0.5, 0]);
  expect(await busyGpus(join(smi("echo '[N/A]'; echo '[Not Supported]'"), "nvidia-smi"), 10_000)).toEqual([
    undefined,
    undefined,
  ]);
});

test("what a broken driver does not let go is not waited for, and gets no company", async () => {
  const folder = smi('echo $$ >>"$(dirname $0)/asked"; exec sleep 1000');
  const asked = (): string[] => readFileSync(join(folder, "asked"), "utf8").trimEnd().split("\n");
  const kill = vi.spyOn(ChildProcess.prototype, "kill").mockReturnValue(true);
  onTestFinished(() => kill.mockRestore());
  expect(await busyGpus(join(folder, "nvidia-smi"), 200)).toBeUndefined();
  expect(await busyGpus(join(folder, "nvidia-smi"), 200)).toBeUndefined();
  expect(asked()).toHaveLength(1);
  process.kill(Number(asked()[0]), "SIGKILL");
  const other = join(smi("echo 7"), "nvidia-smi");
  await vi.waitFor(async () => expect(await busyGpus(other, 10_000)).toEqual([0.07]));
});
const ask = (text: string | undefined, gpusAsked: number, gpus?: number[]): Promise<string | undefined> =>
  missing({ gpusAsked, ...(gpus && { gpus }) }, text === undefined ? undefined : join(smi(text), "nvidia-smi"), never);

test.concurrent.each([
  ["all that were asked for", "echo 0; echo 1", 2, [0, 1], undefined],
  ["more than that", "echo 0; echo 1; echo 2", 1, undefined, undefined],
  ["its own among others", "echo 0; echo 1; echo 2; echo 3", 2, [1, 3], undefined],
])("with %s a job begins", async (_, text, asked, gpus, wanted) => {
  expect(await ask(text, asked, gpus)).toBe(wanted);
});

test.concurrent.each([
  ["echo 0; echo 1; echo 3", 4, [0, 1, 2, 3], "asked for 4 GPUs; the host shows 3: GPU 2 is not there"],
  ["echo 0; echo 1", 1, [5], "asked for 1 GPU; the host shows 2: GPU 5 is not there"],
  ["echo 0", 2, undefined, "asked for 2 GPUs; the host shows 1"],
  [
    "echo 0; echo 'Unable to determine the device handle for GPU0000:3B:00.0: GPU is lost.'; exit 15",
    2,
    [0, 1],
    "asked for 2 GPUs; the host shows 1: GPU 1 is not there (Unable to determine the device handle for GPU0000:3B:00.0: GPU is lost.)",
  ],
  [
    "echo 'NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.'; exit 9",
    1,
    undefined,
    "asked for 1 GPU; nvidia-smi failed: NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.",
  ],
  ["exit 1", 1, undefined, "asked for 1 GPU; nvidia-smi failed"],
  ["echo 'No devices were found'", 1, undefined, "asked for 1 GPU; the host shows 0 (No devices were found)"],
  [
    undefined,
    8,
    undefined,
    "asked for 8 GPUs; the host has no nvidia-smi, which would show them: no driver is installed",
  ],
])("%s: too few are named", async (text, asked, gpus, wanted) => {
  expect(await ask(text, asked, gpus)).toBe(wanted);
});

test.concurrent("a job that asked for none is not kept from beginning", async () => {
  expect(await missing({ gpus: [] }, undefined, never)).toBeUndefined();
});

test.concurrent("a tool that hangs is given up, and that is the reason", async () => {
  const shown = await indices(join(smi("exec sleep 60"), "nvidia-smi"), never, 100);
  expect(shown).toEqual({ found: undefined, said: "nvidia-smi did not answer within 0.1 s" });
});

test.concurrent("an attempt without its GPUs ends with that cause before anything is brought", async () => {
  await using bench = await Bench.open();
  const mount = { kind: "file" as const, path: "~/in", sha256: "0".repeat(64), url: `${bench.plane.url}/inputs/in` };
  bench.plane.assign("job_a", { gpusAsked: 2, gpus: [0, 1], mounts: [mount], run: "touch ~/ran" });
  await bench.agent({ PATH: `${smi("echo 0")}:${process.env.PATH}` });
  expect(await bench.exit("job_a")).toMatchObject({
    cause: "gpus_missing",
    message: "asked for 2 GPUs; the host shows 1: GPU 1 is not there",
  });
  expect(bench.plane.log("job_a", "muster")).toContain("GPU 1 is not there");
  expect(bench.plane.asked).toEqual([]);
  expect(bench.read("ran")).toBeUndefined();
});

test.concurrent("the most that each of its GPUs was busy is reported with the end, also across agents", async () => {
  await using bench = await Bench.open();
  const folder = smi(`case $* in *index*) seq 0 3 ;; *utilization*) cat "$0.busy" ;; *) seq 0 3 ;; esac`);
  const busy = (...shares: number[]): void => writeFileSync(join(folder, "nvidia-smi.busy"), `${shares.join("\n")}\n`);
  busy(90, 10, 99, 0);
  bench.plane.pollAfter = 100;
  bench.plane.assign("job_a", { gpusAsked: 2, gpus: [1, 3], run: "until [ -e ~/go ]; do sleep 0.02; done" });
  bench.plane.assign("job_b", { run: "true" });
  const env = { PATH: `${folder}:${process.env.PATH}` };
  const first = await bench.agent(env);
  const peaks = (): unknown => (JSON.parse(bench.agentState("job_a-1") || "{}") as { gpuPeaks?: unknown }).gpuPeaks;
  await until("a look", () => JSON.stringify(peaks()) === "[0.1,0]");
  busy(90, 70, 99, 0);
  await until("another look", () => JSON.stringify(peaks()) === "[0.7,0]");
  first.kill("SIGKILL");
  busy(0, 20, 0, 0);
  await bench.agent(env);
  bench.write("go");
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", gpuPeaks: [0.7, 0] });
});
