/** Files of any launcher, written in Muster's own form. Pure. */
import { readdirSync, readFileSync } from "node:fs";
import { type Result, read } from "@muster/task/read.ts";
import { write } from "@muster/task/write.ts";
import { expect, test } from "vitest";

const form = (text: string, options: Parameters<typeof read>[1] = {}): string => write(read(text, options));

const SKYPILOT = `name: train
resources:
  infra: aws/us-east-1
  accelerators: { A100: 8, H100: 8 }
  use_spot: true
  any_of:
    - region: us-east-1
    - region: us-west-2
num_nodes: 2
workdir: ./code
file_mounts:
  /data: ./data
  /models:
    source: s3://lab-models/llama
    mode: MOUNT
envs:
  LR: 1e-5
  EPOCHS: 3
  EMPTY: ""
  MODEL:
secrets:
  HF_TOKEN: hf_abcdef
  WANDB_API_KEY:
setup: |
  pip install -r requirements.txt
run: |
  # \${SKYPILOT_NODE_RANK} decides
  python train.py
`;

test("places keep their order, also where their names are numbers", () => {
  const text = 'file_mounts:\n  "2": s3://lab-data\n  "1": s3://lab-data\nrun: x\non_error: stop\n';
  const again = form(form(text));
  expect(again.indexOf('"2"')).toBeGreaterThan(0);
  expect(again.indexOf('"2"')).toBeLessThan(again.indexOf('"1"'));
});

test("what people read is in the order in which they read it", () => {
  const text = SKYPILOT.replace("{ A100: 8, H100: 8 }", "A100:8");
  expect(form(text)).toBe(`name: train

resources:
  provider: aws
  region: us-east-1
  accelerators: A100:8
  use_spot: true
  any_of:
    - region: us-east-1
    - region: us-west-2

num_nodes: 2
workdir: ./code

file_mounts:
  /data: ./data
  /models:
    source: s3://lab-models/llama
    mode: MOUNT

envs:
  LR: "1e-5"
  EPOCHS: "3"
  EMPTY: ""
  MODEL: null

secrets:
  HF_TOKEN: null
  WANDB_API_KEY: null

on_error: continue

setup: |
  pip install -r requirements.txt

run: |
  # \${SKYPILOT_NODE_RANK} decides
  python train.py
`);
});

test("the values of secrets are written when they are asked for, and only then", () => {
  const text = "envs: { HF_TOKEN: hf_inclear, LEVEL: '3' }\nsecrets: { DB: hunter2 }\nrun: 'true'\n";
  const result = read(text);
  const shown = write(result);
  expect(shown).not.toMatch(/hf_inclear|hunter2/);
  expect(read(shown).tasks[0]?.missing.map(({ name, kind }) => [name, kind])).toEqual([
    ["HF_TOKEN", "envs"],
    ["DB", "secrets"],
  ]);
  expect(read(shown).tasks[0]?.task.envs).toEqual({ LEVEL: "3" });
  expect(read(write(result, { secrets: "written" })).tasks[0]?.task).toEqual(result.tasks[0]?.task);
});

test("secrets of the workspace are named", () => {
  expect(form("secrets: [HF_TOKEN]\nrun: ls\n")).toContain("secrets:\n  - HF_TOKEN\n");
  expect(form("secrets: { A: x, HF_TOKEN: secrets:HF_TOKEN }\nrun: ls\n")).toContain("  HF_TOKEN: secrets:HF_TOKEN\n");
});

test("a written task is of Muster's own form, whatever its script reads", () => {
  const text = form(SKYPILOT.replace("{ A100: 8, H100: 8 }", "A100:8"));
  const { dialect, because, tasks } = read(text);
  expect({ dialect, because }).toEqual({ dialect: "muster", because: undefined });
  expect(tasks[0]?.task.onError).toBe("continue");
});

test("an Oumi job comes back with its resources under Muster's names", () => {
  const text = `name: job
user: ana
working_dir: .
resources: { cloud: aws, accelerators: "A100:8", use_spot: false, disk_size: 500, image_id_map: { us-east-1: ami-1 } }
storage_mounts: { /data: { source: "s3://lab-data", store: s3 } }
run: oumi train
`;
  const { tasks } = read(text);
  const back = read(write(read(text))).tasks[0];
  expect(back?.task).toEqual(tasks[0]?.task);
  expect(back?.buckets).toEqual(tasks[0]?.buckets);
  expect(back?.workdir).toBe(".");
});

test("several tasks are several documents, with what is said of all of them first", () => {
  const result = read("name: both\n---\nname: a\nrun: echo a\n---\nname: b\nrun: echo b\n");
  const back = read(write(result));
  expect(back.tasks.map(({ task }) => task)).toEqual(result.tasks.map(({ task }) => task));
  expect({ name: back.name, execution: back.execution }).toEqual({ name: "both", execution: "serial" });
});

const CORPUS = new URL("corpus/", import.meta.url);
const clusters = ["flambe", "runhouse"].flatMap(folder =>
  readdirSync(new URL(`${folder}/`, CORPUS)).map(name => `${folder}/${name}`),
);

test.each(clusters)("%s: its clusters come back as tasks of the same groups", name => {
  const { clusters = [], ...rest }: Result = read(readFileSync(new URL(name, CORPUS), "utf8"));
  for (const cluster of clusters) {
    const { tasks, unsupported } = read(write({ ...rest, tasks: [], clusters: [cluster] }));
    expect(unsupported).toEqual([]);
    const [draft] = tasks;
    expect({
      name: draft?.task.name,
      groups: draft?.groups,
      ...(draft?.idle !== undefined && { idle: draft.idle }),
    }).toEqual(cluster);
  }
});

/** What YAML 1.1 reads as something else than text. PyYAML refuses a tab, and a lone `=`. */
test.each([
  ..."yes No on ~ null 1e3 1.5 0x1F 017 1_000 12:30 2024-01-01 .inf = <<".split(" "),
  "a\tb",
  "",
  " a",
  "\u2028",
])("%j is quoted", value => {
  const [, line] = /^ {2}A: (.*)$/m.exec(form(`envs: { A: ${JSON.stringify(value)} }\nrun: ls\n`)) ?? [];
  expect(line).toMatch(/^"[\t\x20-\x7e]*"$/);
  expect(JSON.parse(line ?? "")).toBe(value);
});

test("a long line is one line, and a script is a block", () => {
  const long = `python train.py ${"--flag value ".repeat(50)}--end`;
  expect(form(`run: ${long}\n`)).toContain(`\nrun: ${long}\n`);
  expect(form(JSON.stringify({ run: "a\n\n  b\t\n\nc\n\n\n" }))).toContain("run: |+\n  a\n\n    b\t\n\n  c\n\n\n");
});
