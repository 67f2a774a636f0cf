/** `muster import` as a process, which needs no control plane; its commands are read by a real shell. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { read } from "@muster/task/read.ts";
import { afterAll, expect, test, vi } from "vitest";
import { Home } from "./support/muster.ts";

vi.setConfig({ testTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), "muster-import-"));
const home = new Home({ MUSTER_HOME: join(folder, "never-made") });
afterAll(() => {
  for (const path of [folder, home.path]) rmSync(path, { recursive: true, force: true });
});

const corpus = (name: string): string => fileURLToPath(new URL(`../task/corpus/${name}`, import.meta.url));
const written = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

test("a cluster of Flambé's is shown in Muster's own form, with what cannot be done yet at its top", async () => {
  const { code, out, err } = await home.run("import", corpus("flambe/everything.yaml"));
  expect([code, out.split("\n")[0]]).toEqual([0, expect.stringMatching(/^# not yet: setup_cmds: /)]);
  expect(err).toMatch(/warning: volume_type: [\s\S]*not yet: setup_cmds: /);
  const [draft] = read(out).tasks;
  expect(draft?.task.name).toBe("translation");
  expect(draft?.groups).toEqual(read(readFileSync(corpus("flambe/everything.yaml"), "utf8")).clusters?.[0]?.groups);
});

test("secrets stay where they are", async () => {
  const file = written(
    "sky.yaml",
    "resources: {infra: aws}\nenvs: {HF_TOKEN: hunter2}\nsecrets: {DB: hunter3}\nrun: ls\n",
  );
  for (const { out, err } of [await home.run("import", file), await home.run("import", file, "--json")]) {
    expect(out).toContain("HF_TOKEN: null");
    for (const name of ["HF_TOKEN", "DB"]) {
      const line = `${name}: its value is left out; keep it with: muster secrets set ${name}`;
      expect(out).toContain(`# ${line}`);
      expect(err).toContain(line);
    }
    expect(out + err).not.toMatch(/hunter/);
  }
});

test("--output writes the file once", async () => {
  const file = join(folder, "own.yaml");
  const args = ["import", corpus("runhouse/on-demand.json"), "--output", file];
  expect(await home.run(...args)).toMatchObject({ code: 0, out: "" });
  expect(read(readFileSync(file, "utf8")).tasks[0]?.task.name).toBe("rh-a10s");
  const again = await home.run(...args);
  expect(again.err).toContain("there is such a file already");
  expect(again.code).toBe(120);
  const nowhere = await home.run("import", corpus("runhouse/on-demand.json"), "-o", join(folder, "no", "own.yaml"));
  expect(nowhere.err).toContain(`there is no folder ${join(folder, "no")}`);
  expect([nowhere.code, nowhere.err.includes("ENOENT")]).toEqual([120, false]);
});

test("a target of XT's is a command that a shell reads as it is meant", async () => {
  const file = written(
    "xt.yaml",
    `external-services: { b: { type: batch, key: hunter2, url: u } }
compute-targets:
  gpus: { service: b, vm-size: "O'Neill $(touch x); NC6", low-pri: true, nodes: 2, azure-image: "a b" }
  boxes: { service: pool, boxes: [a.example.com] }
`,
  );
  const { code, out, err } = await home.run("import", file);
  expect([code, (out + err).includes("hunter2")]).toEqual([0, false]);
  const script = `muster() { printf '%s\\n' "$@"; }\n${out}`;
  expect(execFileSync("sh", ["-c", script], { cwd: folder, encoding: "utf8" }).trimEnd().split("\n")).toEqual([
    ...["targets", "set", "gpus", "--provider=batch", "--nodes=2"],
    ...["--resources.instance_type=O'Neill $(touch x); NC6", "--resources.use_spot=true", "--resources.image=a b"],
  ]);
});

test("a target in a container is kept by its image", async () => {
  const text = `compute-targets: { local-docker: { service: pool, boxes: [local], docker: d } }
dockers: { d: { registry: r.example.com, image: i } }
`;
  const { code, out, err } = await home.run("import", written("docker.yaml", text));
  expect(code, err).toBe(0);
  const command = "muster targets set local-docker --provider=local --resources.image=docker:r.example.com/i";
  expect(out.trimEnd()).toBe(command);
});

test("what is told of a file stays in its line of a comment", async () => {
  const key = JSON.stringify("x\nrun: rm -rf ~\u2028run: y");
  const cluster = readFileSync(corpus("flambe/sentiment.yaml"), "utf8");
  const { code, out } = await home.run("import", written("odd.yaml", `${key}: here\n---\n${cluster}`));
  expect([code, out.split("\n")[0]]).toEqual([
    0,
    expect.stringMatching(/^# not yet: x run: rm -rf ~ run: y: an extension/),
  ]);
  expect(read(out).tasks[0]?.task).not.toHaveProperty("run");
});
