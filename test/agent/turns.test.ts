/** Installing and setting up, where only one attempt may do so at a time: real agents, and a control plane of our own. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Bench, codeOf, murder } from "./support/bench.ts";
import { pack } from "./support/bring.ts";
import { until } from "./support/until.ts";

const setup = "[ -e ~/go ] || { touch ~/began; sleep 1000; }";
const kinds = {
  "installs packages": { packages: [pack("local", ".")] },
  "sets up": { setup },
};

for (const [what, task] of Object.entries(kinds))
  test.concurrent(`a machine that goes down while a job ${what} lets others do so when it is up again`, async () => {
    await using bench = await Bench.open();
    // What an installer reads first.
    mkdirSync(bench.home.jobs);
    if ("packages" in task) writeFileSync(join(bench.home.jobs, ".bashrc"), setup);
    bench.plane.assign("job_a", { ...task, run: "true" });
    const first = await bench.agent();
    await until("its turn", () => bench.read("began") !== undefined);
    first.kill("SIGTERM");
    await codeOf(first);
    bench.write("go");
    await bench.agent();
    expect(await bench.exit("job_a")).toMatchObject({ cause: "host_lost" });
    bench.plane.assign("job_b", { ...task, run: "true" });
    await bench.kick();
    expect(await bench.exit("job_b")).toMatchObject({ cause: "exited", exitCode: 0 });
  });

test.concurrent("a job that is revoked while no agent looks lets others install", async () => {
  await using bench = await Bench.open();
  mkdirSync(bench.home.jobs);
  writeFileSync(join(bench.home.jobs, ".bashrc"), setup);
  bench.plane.assign("job_a", { packages: [pack("local", ".")], run: "true" });
  const first = await bench.agent();
  await until("its turn", () => bench.read("began") !== undefined);
  await murder(first);
  bench.plane.assignments = [];
  bench.plane.revoked = [{ jobId: "job_a", fence: 1 }];
  await bench.agent();
  await until("it to be gone", () => bench.attempts().length === 0);
  bench.write("go");
  bench.plane.assign("job_b", { packages: [pack("local", ".")], run: "true" });
  await bench.kick();
  expect(await bench.exit("job_b")).toMatchObject({ cause: "exited", exitCode: 0 });
});

test.concurrent("a job that is revoked while it installs lets others do so when all of it has ended", async () => {
  await using bench = await Bench.open();
  mkdirSync(bench.home.jobs);
  const stubborn = "echo $$ >~/first; trap '' TERM; touch ~/began; while :; do sleep 0.1; done";
  const isThere = "grep -q '^State:.[RSD]' /proc/$(cat ~/first)/status && touch ~/overlap";
  writeFileSync(join(bench.home.jobs, ".bashrc"), `if [ -e ~/first ]; then ${isThere}; else ${stubborn}; fi`);
  const job = { packages: [pack("local", ".")], grace: 1, run: "true" };
  bench.plane.assign("job_a", job);
  await bench.agent();
  await until("its turn", () => bench.read("began") !== undefined);
  bench.plane.assign("job_b", job);
  await bench.kick();
  await until("the other to wait", () => bench.agentState("job_b-1").includes('"packages"'));
  bench.plane.assignments = bench.plane.assignments.filter(({ jobId }) => jobId === "job_b");
  bench.plane.revoked = [{ jobId: "job_a", fence: 1 }];
  await bench.kick();
  expect(await bench.exit("job_b")).toMatchObject({ cause: "exited", exitCode: 0 });
  expect(bench.read("overlap")).toBeUndefined();
});
