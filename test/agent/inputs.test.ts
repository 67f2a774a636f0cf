/** Workdirs and mounts; the control plane is a server of our own. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
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
import { join, relative } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readText } from "../../packages/agent/src/disk.ts";
import type { Places } from "../../packages/agent/src/inputs/inputs.ts";
import { fill } from "../../packages/agent/src/inputs/packs.ts";
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

test.concurrent("a folder of many packs is unpacked in order", async () => {
  await using bench = await Bench.open();
  const packs = Array.from({ length: 60 }, (_, n) =>
    offer(bench, `p${n}`, archive({ [`files/${n}`]: `${n}`, last: `${n}` })),
  );
  bench.plane.assign("job_a", { workdir: { packs }, run: "ls files | wc -l; cat last; ls -A" });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ exitCode: 0 });
  expect(bench.plane.log("job_a")).toBe("60\n59files\nlast\n");
  expect(bench.plane.asked.length).toBe(60);
});

test.concurrent("the next pack, and no other, is fetched while one is unpacked", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ma-fill-"));
  await using bench = await Bench.open();
  const packs = ["one", "two", "three"].map(name => offer(bench, name, Buffer.from(name)));
  // In the place of tar: says that it was called, and waits.
  const text = `#!/bin/sh\ntouch ${folder}/called\nuntil [ -e ${folder}/go ]; do sleep 0.02; done\n`;
  writeFileSync(join(folder, "tar"), text, { mode: 0o755 });
  const places = { folder, env: { PATH: `${folder}:${process.env.PATH}` } } as unknown as Places;
  const filled = fill("w", packs, folder, places, new AbortController().signal);
  await until("the first to be unpacked", () => existsSync(join(folder, "called")));
  await until("the next to be asked for", () => bench.plane.asked.includes("two"));
  await until("the next to be there", () => readText(join(folder, "input-1")) === "two");
  expect(bench.plane.asked).toEqual(["one", "two"]);
  expect(readFileSync(join(folder, "input-0"), "utf8")).toBe("one");
  writeFileSync(join(folder, "go"), "");
  await filled;
  expect(bench.plane.asked).toEqual(["one", "two", "three"]);
  expect(readdirSync(folder).sort()).toEqual(["called", "go", "tar"]);
  rmSync(folder, { recursive: true });
});

test.concurrent("a pack that cannot be had or unpacked is told as its own, and leaves nothing behind", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ma-fill-"));
  await using bench = await Bench.open();
  const good = offer(bench, "good", archive({ a: "b" }));
  const broken = offer(bench, "broken", Buffer.from("no archive"));
  const missing = { ...good, url: `${bench.plane.url}/inputs/none` };
  const into = join(folder, "into");
  mkdirSync(into);
  const places = { folder, env: { PATH: process.env.PATH ?? "" } } as unknown as Places;
  const signal = new AbortController().signal;
  bench.plane.asked.length = 0;
  await expect(fill("w", [good, missing, good], into, places, signal)).rejects.toThrow("w: HTTP 404");
  expect(bench.plane.asked).toEqual(["good", "none"]);
  bench.plane.asked.length = 0;
  await expect(fill("w", [broken, good, good], into, places, signal)).rejects.toThrow("w could not be unpacked");
  // The second was asked for while tar looked at the first, or was called off before it was.
  expect(bench.plane.asked.length).toBeLessThanOrEqual(2);
  expect(readdirSync(folder)).toEqual(["into"]);
  rmSync(folder, { recursive: true });
});

test.concurrent("secret files lie where they belong, for their owner alone, whatever was there before", async () => {
  await using bench = await Bench.open();
  const { jobs, root } = bench.home;
  const content = (text: string | Buffer): string => Buffer.from(text).toString("base64");
  mkdirSync(jobs);
  writeFileSync(join(root, "precious"), "keep");
  symlinkSync(join(root, "precious"), join(jobs, "link"));
  writeFileSync(join(jobs, "open"), "old", { mode: 0o666 });
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  bench.plane.assign("job_a", {
    workdir: { packs: [offer(bench, "w", archive({ "conf/a": "b" }))] },
    secretFiles: [
      { path: "~/.kube/deep/config", content: content("line one of it\n") },
      { path: "~/link", content: content("new") },
      { path: "~/open", content: content("closed") },
      { path: "conf/key", content: content(bytes) },
      { path: join(root, "else/where"), content: content("absolute") },
    ],
    run: `umask; stat -c '%a' ~/.kube ~/.kube/deep ~/.kube/deep/config ~/link ~/open conf conf/key; sha256sum <conf/key; cat ~/link ~/.kube/deep/config; cmp ${root}/else/where <(printf absolute)`,
  });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ exitCode: 0 });
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const modes = "700\n700\n600\n600\n600\n755\n600\n";
  // What a secret file holds is hidden in the log, where its lines are long enough.
  expect(bench.plane.log("job_a")).toBe(`0022\n${modes}${sha256}  -\nnew***\n`);
  expect(readFileSync(join(root, "precious"), "utf8")).toBe("keep");
  // Who makes an image of this host does without them.
  const workdir = join(jobs, "muster", "job_a");
  const places = [...[".kube/deep/config", "link", "open"].map(name => join(jobs, name)), join(root, "else/where")];
  const handed = readFileSync(bench.home.handed, "utf8").split("\0");
  expect(handed.toSorted()).toEqual(["", ...places, join(workdir, "conf/key")].toSorted());
  bench.plane.assign("job_b", { secretFiles: [{ path: "~/.kube", content: content("x") }], run: "true" });
  bench.plane.assign("job_c", { secretFiles: [{ path: "~/../x", content: content("x") }], run: "true" });
  await bench.kick();
  expect((await bench.exit("job_b")).message).toMatch(/^secret file ~\/.kube: /);
  expect((await bench.exit("job_c")).message).toContain('".." is not allowed');
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
