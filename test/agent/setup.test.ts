/** Setups run once per host and text; the control plane is a server of our own. */
import { expect, test } from "vitest";
import { Bench, murder } from "./support/bench.ts";
import { until } from "./support/until.ts";

const gate = (name: string): string => `until [ -e ~/${name} ]; do sleep 0.02; done`;
const open = (name: string): string => `touch ~/${name}`;

test.concurrent("two jobs that bring the same setup at once run it once, and both wait for it", async () => {
  await using bench = await Bench.open();
  const setup = `echo once >>~/setups; ${gate("go")}; echo ready >>~/setups`;
  bench.plane.assign("job_a", { setup, run: "cat ~/setups" });
  bench.plane.assign("job_b", { setup, run: "cat ~/setups" });
  bench.plane.assign("job_c", { run: `until [ -e ~/setups ]; do sleep 0.02; done; ${open("go")}` });
  await bench.agent();
  await bench.exit("job_a");
  await bench.exit("job_b");
  expect(bench.read("setups")).toBe("once\nready\n");
  expect(bench.plane.log("job_a", "run")).toBe("once\nready\n");
  expect(bench.plane.log("job_b", "run")).toBe("once\nready\n");
  bench.plane.assign("job_d", { setup, run: "true" });
  bench.plane.assign("job_e", { setup: `${setup}\n# another text`, run: "true" });
  await bench.kick();
  await bench.exit("job_d");
  await bench.exit("job_e");
  expect(bench.read("setups")).toBe("once\nready\n".repeat(2));
});

test.concurrent("a setup that fails fails its job with its code, runs no script, and is tried again by the next job", async () => {
  await using bench = await Bench.open();
  const setup = "echo trying >>~/setups; exit 7";
  bench.plane.assign("job_a", { setup, run: "touch ~/ran" });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({
    cause: "setup_failed",
    exitCode: 7,
    message: expect.stringContaining("7"),
  });
  expect(bench.read("ran")).toBeUndefined();
  bench.plane.assign("job_b", { setup, run: "true" });
  await bench.kick();
  expect(await bench.exit("job_b")).toMatchObject({ cause: "setup_failed" });
  expect(bench.read("setups")).toBe("trying\ntrying\n");
});

test.concurrent("a setup that goes on over failing lines in other dialects is only judged by its own exit code", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { onError: "continue", setup: "false\ntrue", run: "echo ran" });
  bench.plane.assign("job_b", { onError: "stop", setup: "false\ntrue", run: "echo ran" });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 0 });
  expect(bench.plane.log("job_a", "muster")).toContain("setup: line 1 exited with 1 and the script went on");
  expect(await bench.exit("job_b")).toMatchObject({ cause: "setup_failed", exitCode: 1 });
});

test.concurrent("when the job that runs a setup is cancelled, the next one that waits for it runs it", async () => {
  await using bench = await Bench.open();
  const setup = `echo $MUSTER_ATTEMPT >>~/setups; ${gate("go")}`;
  bench.plane.assign("job_a", { setup, run: "true" });
  await bench.agent();
  await until("the first setup", () => bench.read("setups") === "job_a-1\n");
  bench.plane.assign("job_b", { setup, run: "true" });
  bench.plane.held = [{ jobId: "job_a", fence: 1, cancel: "cancelled" }];
  await bench.kick();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "cancelled" });
  bench.plane.assign("job_c", { run: open("go") });
  await bench.kick();
  expect(await bench.exit("job_b")).toMatchObject({ cause: "exited", exitCode: 0 });
  expect(bench.read("setups")).toBe("job_a-1\njob_b-1\n");
});

test.concurrent("a setup that outlives its agent is finished by the next, and still runs once", async () => {
  await using bench = await Bench.open();
  const setup = `echo once >>~/setups; ${gate("go")}`;
  bench.plane.assign("job_a", { setup, run: "echo a" });
  bench.plane.assign("job_b", { setup, run: "echo b" });
  const first = await bench.agent();
  await until("the setup", () => bench.read("setups") === "once\n");
  await murder(first);
  await bench.agent();
  bench.plane.assign("job_c", { run: open("go") });
  await bench.kick();
  expect(await bench.exit("job_a")).toMatchObject({ exitCode: 0 });
  expect(await bench.exit("job_b")).toMatchObject({ exitCode: 0 });
  expect(bench.read("setups")).toBe("once\n");
});
