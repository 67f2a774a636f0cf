/** Workdirs and mounts; the control plane is a server of our own. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError, placeOf } from "../../packages/agent/src/inputs/place.ts";
import { Bench } from "./support/bench.ts";
import { until } from "./support/until.ts";

/** Puts bytes on the control plane, and says where. */
function offer(bench: Bench, name: string, bytes: Buffer): { url: string; sha256: string } {
  bench.plane.inputs.set(name, bytes);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { url: `${bench.plane.url}/inputs/${name}`, sha256 };
}

/** A gzipped archive of these files. */
function archive(files: Record<string, string>): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "ma-tar-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const bytes = execFileSync("tar", ["-czf", "-", "-C", folder, "."]);
  rmSync(folder, { recursive: true });
  return bytes;
}

test.concurrent("workdir, files with their modes and folders lie where the task wants them", async () => {
  await using bench = await Bench.open();
  const elsewhere = join(bench.home.root, "data/deep");
  bench.plane.assign("job_a", {
    workdir: {
      packs: [offer(bench, "w", archive({ "train.py": "print" })), offer(bench, "v", archive({ "sub/x": "y" }))],
    },
    mounts: [
      { ...offer(bench, "f", Buffer.from("secret")), path: "~/.config/key", kind: "file", mode: 0o600 },
      { ...offer(bench, "g", Buffer.from("local")), path: "conf/local.yaml", kind: "file" },
      { packs: [offer(bench, "d", archive({ "one/two": "three" }))], path: elsewhere, kind: "folder" },
      { packs: [offer(bench, "e", archive({ z: "in sky" }))], path: "~/sky_workdir/more", kind: "folder" },
    ],
    run: `cat train.py sub/x conf/local.yaml more/z ${elsewhere}/one/two; stat -c %a ~/.config/key`,
  });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ exitCode: 0 });
  expect(bench.plane.log("job_a")).toBe("printylocalin skythree600\n");
});

test.concurrent("an input with another hash than promised fails the job, and nothing runs", async () => {
  await using bench = await Bench.open();
  const workdir = { packs: [{ ...offer(bench, "w", archive({ a: "b" })), sha256: "0".repeat(64) }] };
  bench.plane.assign("job_a", { workdir, run: "touch ~/ran" });
  await bench.agent();
  const exit = await bench.exit("job_a", 1, 60_000);
  expect(exit).toMatchObject({ cause: "inputs_failed", message: expect.stringContaining("hash") });
  expect(bench.plane.log("job_a", "muster")).toBe(`${exit.message}\n`);
  expect(bench.read("ran")).toBeUndefined();
}, 60_000);

test.concurrent("inputs that are missing, broken or out of bounds fail the job and say which, without the URL", async () => {
  await using bench = await Bench.open();
  const file = offer(bench, "f", Buffer.from("x"));
  const missing = { url: `${bench.plane.url}/inputs/none?signature=secret`, sha256: file.sha256 };
  bench.plane.assign("job_a", { mounts: [{ ...missing, path: "~/data", kind: "file" }], run: "true" });
  bench.plane.assign("job_b", { mounts: [{ ...file, path: "~/../../etc/x", kind: "file" }], run: "true" });
  bench.plane.assign("job_c", { mounts: [{ packs: [file], path: "~/folder", kind: "folder" }], run: "true" });
  bench.plane.assign("job_d", { mounts: [{ ...file, path: "/proc/nowhere/x", kind: "file" }], run: "true" });
  await bench.agent();
  const messages = await Promise.all(
    ["job_a", "job_b", "job_c", "job_d"].map(async job => (await bench.exit(job)).message),
  );
  expect(messages[0]).toBe("mount ~/data: HTTP 404");
  expect(messages[1]).toContain('".." is not allowed');
  expect(messages[2]).toContain("mount ~/folder could not be unpacked");
  expect(messages[3]).toContain("mount /proc/nowhere/x");
});

test.concurrent("a workdir is fresh, whatever an earlier attempt left or linked there", async () => {
  await using bench = await Bench.open();
  const workdir = join(bench.home.jobs, "muster", "job_a");
  mkdirSync(workdir, { recursive: true });
  mkdirSync(join(bench.home.root, "precious"));
  writeFileSync(join(bench.home.root, "precious", "file"), "keep");
  symlinkSync(join(bench.home.root, "precious"), join(workdir, "link"));
  bench.plane.assign("job_a", { run: `ls -A; cat ${bench.home.root}/precious/file` });
  await bench.agent();
  await bench.exit("job_a");
  expect(bench.plane.log("job_a")).toBe("keep");
});

test.concurrent("a job that is cancelled while its inputs are on their way ends at once", async () => {
  await using bench = await Bench.open();
  const file = offer(bench, "f", Buffer.from("x"));
  const nowhere = { ...file, url: "http://127.0.0.1:9/nothing" };
  bench.plane.assign("job_a", { mounts: [{ ...nowhere, path: "~/x", kind: "file" }], run: "touch ~/ran" });
  await bench.agent();
  await until("the job to prepare", () => bench.plane.states("job_a").includes("preparing"));
  bench.plane.held = [{ jobId: "job_a", fence: 1, cancel: "cancelled" }];
  await bench.kick();
  expect(await bench.exit("job_a", 1, 2_000)).toMatchObject({ cause: "cancelled" });
  expect(bench.read("ran")).toBeUndefined();
});

test.concurrent("no mount path leads out of HOME or the workdir, unless it is absolute", () => {
  const part = fc.constantFrom("..", ".", "a", "~", "", "b c", "...", "~root");
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), parts => {
      const path = parts.join("/");
      try {
        const place = placeOf(path, "/home/j", "/home/j/w");
        if (path.startsWith("/")) return;
        expect(relative(path.startsWith("~") ? "/home/j" : "/home/j/w", place).split("/")[0]).not.toBe("..");
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
      }
    }),
    { numRuns: 2_000 },
  );
});
