/** Variables arrive as they were sent; the control plane is a server of our own. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Bench } from "./support/bench.ts";

const awkward = fc.constantFrom(
  "\n",
  "\r\n",
  "'",
  '"',
  "`",
  "$(id)",
  "$HOME",
  "\\",
  "\\n",
  " ",
  "\t",
  "=",
  "!",
  "*",
  ";",
  "é",
  "日本",
  "🦄",
  "\u0001",
  "\u007f",
  "-e",
  "$" + "{x}",
  "\n\n",
);
const text = fc.oneof(
  fc.array(awkward, { maxLength: 12 }).map(parts => parts.join("")),
  fc.string({ unit: "grapheme", maxLength: 60 }).map(value => value.replaceAll("\0", "")),
);
const name = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_]{0,10}$/).map(tail => `T_${tail}`);

test.concurrent("fifty environments arrive byte for byte, in setup and in run", async () => {
  await using bench = await Bench.open();
  const all = fc.sample(fc.dictionary(name, text, { minKeys: 1, maxKeys: 8 }), 50);
  const script = (phase: string): string => `env -0 >"$HOME/$JOB.${phase}"`;
  all.forEach((env, index) => {
    const jobId = `job_${index}`;
    const onError = index % 2 === 0 ? "stop" : "continue";
    const setup = `${script("setup")}\n# ${index}`;
    bench.plane.assign(jobId, { env: { ...env, JOB: jobId }, setup, run: script("run"), onError });
  });
  await bench.agent();
  for (const [index, env] of all.entries()) {
    await bench.exit(`job_${index}`, 1, 60_000);
    for (const phase of ["setup", "run"]) {
      const path = join(bench.home.jobs, `job_${index}.${phase}`);
      expect(existsSync(path)).toBe(true);
      const found = new Map(
        readFileSync(path, "utf8")
          .split("\0")
          .map(pair => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
      );
      for (const [key, value] of Object.entries(env)) expect(found.get(key)).toBe(value);
    }
  }
}, 90_000);

test.concurrent("variables of the wrapper's making do not get in the way of the task's, nor of the number of its try", async () => {
  await using bench = await Bench.open();
  const env = { dir: "d", phase: "p", code: "c", tools: "t", BASH_ENV: "/nowhere", MUSTER_ATTEMPT: "2" };
  bench.plane.assign("job_a", { env, run: "echo $dir $phase $code $tools $BASH_ENV $MUSTER_ATTEMPT" });
  await bench.agent();
  await bench.exit("job_a");
  expect(bench.plane.log("job_a", "run")).toContain("d p c t /nowhere 2\n");
});

test.concurrent("a task's own PATH holds for its scripts, and does not break the book-keeping", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { env: { PATH: "/nowhere", HOME: "/tmp" }, run: 'echo "$PATH $HOME"; exit 4' });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 4 });
  expect(bench.plane.log("job_a")).toBe("/nowhere /tmp\n");
});
