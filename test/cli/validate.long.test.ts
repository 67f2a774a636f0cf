/** `muster validate` as a process, which needs no control plane: what it prints, and how it ends. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test, vi } from "vitest";
import { Home } from "./support/muster.ts";

vi.setConfig({ testTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), "muster-validate-"));
const home = new Home({ MUSTER_HOME: join(folder, "never-made") });
afterAll(() => {
  for (const path of [folder, home.path]) rmSync(path, { recursive: true, force: true });
});

const written = (name: string, text: string | Uint8Array): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const json = async (
  ...args: string[]
): Promise<{ code: number | null; answer: Record<string, unknown>; out: string }> => {
  const { code, out, err } = await home.run("validate", ...args, "--json");
  expect(err).toBe("");
  return { code, out, answer: JSON.parse(out) as Record<string, unknown> };
};

describe("a good file", () => {
  test("is told as JSON in its canonical form", async () => {
    const text =
      "resources: { infra: aws }\nfile_mounts: { /in: s3://bucket }\nservice: { replicas: 1 }\nrun: 'true'\n";
    const { code, answer } = await json(written("good.yaml", text));
    expect(code).toBe(0);
    expect(answer).toEqual({
      ok: true,
      dialect: "skypilot",
      because: "resources.infra",
      tasks: [
        {
          task: {
            onError: "continue",
            resources: { provider: "aws" },
            nodes: 1,
            packages: [],
            envs: {},
            secrets: {},
            storedSecrets: [],
            run: "true",
          },
          fileMounts: [],
          buckets: [{ path: "/in", source: "s3://bucket", mode: "copy" }],
          missing: [],
        },
      ],
      warnings: [],
      unsupported: [{ path: "service", why: "services: replicas of a server behind one address" }],
    });
  });

  test("tells what it needs, and a path that waits for it is not looked for", async () => {
    const text = "envs: { DATA: }\nsecrets: { HF_TOKEN: }\nfile_mounts: { /in: $DATA/x }\nrun: 'true'\n";
    const { code, out } = await home.run("validate", written("needs.yaml", text));
    expect(code).toBe(0);
    expect(out).toContain("  needs: DATA (envs): give it with -e DATA=…\n");
    expect(out).toContain("  needs: HF_TOKEN (secrets): give it with -e HF_TOKEN=… or `muster secrets set HF_TOKEN`\n");
  });

  test("of XT's is to be taken over, also when not all of it can be done", async () => {
    const text = "compute-targets: { t: { service: pool, boxes: [a.example.com] } }\n";
    const file = written("xt.yaml", text);
    const { code, out } = await home.run("validate", file);
    expect(code).toBe(0);
    expect(out).toContain("not yet: compute-targets.t.boxes");
    expect(out).toMatch(/Take it over, with its targets:\n {2}muster import .*xt\.yaml\n$/);
  });

  test("that nothing marks is said to be read as Muster's own, with what follows from it", async () => {
    const said =
      "  read as Muster's own form: scripts stop at the first line that fails (on_error: continue, or --dialect";
    const lines = async (text: string, ...more: string[]) =>
      (await home.run("validate", written("unmarked.yaml", text), ...more)).out;
    expect(await lines("run: 'true'\n")).toContain(said);
    expect((await json(written("unmarked.yaml", "run: 'true'\n"))).answer).toMatchObject({ unmarked: true });
    expect(await lines("run: 'true'\nidle: 5\n")).not.toContain("read as");
    expect(await lines("run: 'true'\n", "--dialect", "skypilot")).not.toContain("read as");
    expect(await lines("resources: { cpus: 1 }\n")).not.toContain("read as");
  });

  test("shows no secret, not even one that became part of a path", async () => {
    const text = "envs: { DOOR_KEY: hunter22 }\nfile_mounts: { /in/$DOOR_KEY: s3://bucket }\nrun: 'true'\n";
    const file = written("secret.yaml", text);
    const { answer, out } = await json(file, "-e", "WANDB_API_KEY=abcdef");
    expect(out).not.toMatch(/hunter22|abcdef/);
    expect(answer).toMatchObject({
      tasks: [
        { task: { envs: { DOOR_KEY: "***" }, secrets: { WANDB_API_KEY: "***" } }, buckets: [{ path: "/in/***" }] },
      ],
    });
  });

  test("of several tasks is told with what they are together", async () => {
    const file = written("steps.yaml", "name: both\n---\nrun: a\n---\nrun: b\n");
    const { answer } = await json(file);
    expect(answer).toMatchObject({
      ok: true,
      name: "both",
      execution: "serial",
      unsupported: [],
      waits: [[], [{ task: 0, on: "success" }]],
    });
    expect((await home.run("validate", file)).out).toContain(`${file}: skypilot 2 tasks (it has several documents)`);
  });
});

describe("a bad file", () => {
  test("is told as JSON with every error, and ends with 2", async () => {
    const { code, answer } = await json(written("bad.yaml", "nmae: x\nnum_nodes: 0\nrun: 'true'\n"));
    expect(code).toBe(2);
    expect(answer).toEqual({
      ok: false,
      errors: [
        { path: "nmae", line: 1, message: "is not a key that Muster knows", suggestion: "did you mean 'name'?" },
        { path: "num_nodes", line: 2, message: "must be at least 1" },
      ],
    });
  });

  test("that lacks local files is one", async () => {
    const text = "workdir: nowhere\nfile_mounts: { /in: neither }\nrun: 'true'\n";
    const { code, answer } = await json(written("lacks.yaml", text));
    expect(code).toBe(2);
    expect(answer).toMatchObject({ ok: false });
    expect(JSON.stringify(answer)).toContain("nowhere");
  });

  test("that is not there is one, and so are bad overrides", async () => {
    expect(await json(join(folder, "no.yaml"))).toMatchObject({
      code: 2,
      answer: { ok: false, errors: [{ path: "", message: expect.stringContaining("there is no such file") }] },
    });
    const file = written("fine.yaml", "run: 'true'\n");
    expect(await json(file, "--resources.acelerators", "L4")).toMatchObject({
      code: 2,
      answer: { errors: [{ path: "resources.acelerators", suggestion: "did you mean 'accelerators'?" }] },
    });
  });

  test("that is not UTF-8 is told with the byte and its line", async () => {
    const bytes = new Uint8Array([...new TextEncoder().encode("run: 'é'\nname: "), 0xe9, 0x0a]);
    const file = written("latin.yaml", bytes);
    expect(await json(file)).toMatchObject({
      code: 2,
      answer: {
        errors: [
          {
            path: "",
            line: 2,
            message: "is not UTF-8 text: byte E9 at offset 16",
            suggestion: "save the file as UTF-8",
          },
        ],
      },
    });
    const { code, err } = await home.run("validate", file);
    expect([code, err]).toEqual([2, `${file}:2: is not UTF-8 text: byte E9 at offset 16 (save the file as UTF-8)\n`]);
  });

  test("that is cut inside a character is told, too", async () => {
    const { answer } = await json(written("cut.yaml", new Uint8Array([0x61, 0x3a, 0x20, 0xc3])));
    expect(answer).toMatchObject({ errors: [{ line: 1, message: "is not UTF-8 text: byte C3 at offset 3" }] });
  });

  test("of 100 MB is refused before it is read, as a file and from a pipe", async () => {
    const file = written("large.yaml", new Uint8Array(100_000_000).fill(0x78));
    expect(await json(file)).toMatchObject({
      code: 2,
      answer: { errors: [{ message: "the file is 97657 KB; a task file has 256 KB at most" }] },
    });
    const bin = fileURLToPath(new URL("../../packages/cli/bin/muster.js", import.meta.url));
    const script = 'head -c 400000 /dev/zero | "$1" "$2" validate - --json';
    const piped = spawnSync("bash", ["-c", script, "bash", process.execPath, bin], { encoding: "utf8" });
    expect(piped.status).toBe(2);
    expect(JSON.parse(piped.stdout)).toMatchObject({
      errors: [{ message: "there is more of it than that; a task file has 256 KB at most" }],
    });
  });
});
