/** How scripts go on after a failing line; the control plane is a server of our own. */
import { expect, test } from "vitest";
import { Bench } from "./support/bench.ts";

test.concurrent("Muster's own scripts stop at the first failing line, also within a pipe", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { run: "echo one\nfalse\necho two" });
  bench.plane.assign("job_b", { run: "echo one\n(exit 3) | cat\necho two" });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 1 });
  expect(await bench.exit("job_b")).toMatchObject({ cause: "exited", exitCode: 3 });
  expect(bench.plane.log("job_a")).toBe("one\n");
});

test.concurrent("scripts of tasks that say so go on, and the log says which line failed", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { onError: "continue", run: "echo one\n\n(exit 1)\necho two" });
  bench.plane.assign("job_b", { onError: "continue", run: "(exit 4)\necho one\nfalse\necho two" });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 0 });
  const note =
    "and the script went on, since the task says on_error: continue (with on_error: stop it would have ended there)";
  expect(bench.plane.log("job_a")).toBe(`one\ntwo\nline 3 exited with 1 ${note}\n`);
  expect(bench.plane.log("job_a", "muster")).toBe(`line 3 exited with 1 ${note}\n`);
  await bench.exit("job_b");
  expect(bench.plane.log("job_b", "muster")).toBe(`line 1 exited with 4, 1 more failed after it, ${note}\n`);
});

test.concurrent("failures that the script looks at, and the one that ends it, are no surprise and not noted", async () => {
  await using bench = await Bench.open();
  const run = "#!/bin/bash\nset -x\nif false; then :; fi\nfalse || true\n! true\nfalse && true\nexit 3";
  bench.plane.assign("job_a", { onError: "continue", run });
  bench.plane.assign("job_b", { onError: "continue", run: "true\n(exit 5)" });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ exitCode: 3 });
  expect(await bench.exit("job_b")).toMatchObject({ exitCode: 5 });
  expect(bench.plane.log("job_a", "muster")).toBe("");
  expect(bench.plane.log("job_b", "muster")).toBe("");
  expect(bench.plane.log("job_a")).not.toContain("LINENO");
});
