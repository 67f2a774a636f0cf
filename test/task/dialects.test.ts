import { describe, expect, test } from "vitest";
import { problems, read } from "./support.ts";

/** `resources.cloud` as the lines of a file that has it. */
const bearing = (key: string): string => {
  const keys = key.split(".");
  return keys.map((name, depth) => `${"  ".repeat(depth)}${name}:${depth === keys.length - 1 ? " {}" : ""}`).join("\n");
};

const sky = `
name: serve-model
resources:
  infra: k8s
  accelerators: A100-80GB
  any_of:
    - use_spot: true
    - use_spot: false
  network_tier: best
  ports: 8000
envs:
  MODEL: org/model
  TOKEN:
file_mounts:
  /out:
    name: bucket
    mode: MOUNT
  /in: gs://bucket/in
  /conf: ./conf
service:
  readiness_probe: /health
  replicas: 2
run: python -m server --tp $SKYPILOT_NUM_GPUS_PER_NODE
`;

const oumi = `
name: sft-1
resources:
  cloud: gcp
  accelerators: "A100:4"
  use_spot: false
  disk_size: 200 # GB
working_dir: .
envs:
  RUN_NAME: "sft.\${USER}"
  PARALLEL: false
  RATE: 1.50
  STEP: 1e-5
  SEED: 007
num_nodes: "4"
user: someone
file_mounts:
  ~/.netrc: ~/.netrc
setup: pip install something
run: |
  set -e
  echo "\${RUN_NAME} \${SKYPILOT_NODE_RANK}"
`;

test.each([
  ["user: me\nrun: x", "user: Muster signs in nowhere, so it is left out"],
  ["run: |\n  #PBS -l select=2\n  x", "run: lines that begin with #PBS are comments here: say it in resources"],
  [
    "setup: '#PBS -q a'\nrun: '#PBS -q b'",
    "setup, run: lines that begin with #PBS are comments here: say it in resources",
  ],
])("an Oumi job with %j is worth one warning", (text, warning) => {
  expect(read(`working_dir: .\nresources: { cloud: polaris }\n${text}\n`).warnings).toEqual([warning]);
});

describe("SkyPilot's form", () => {
  test("what Muster cannot do yet is told key by key, and the rest is read", () => {
    const { draft, unsupported } = read(sky, { envs: { TOKEN: "t" } });
    expect(unsupported.map(one => one.path)).toEqual(["file_mounts./in", "service"]);
    expect(draft).toMatchObject({
      task: {
        onError: "continue",
        name: "serve-model",
        resources: { provider: "kubernetes", accelerators: { "A100-80GB": 1 }, networkTier: "best", ports: ["8000"] },
        envs: { MODEL: "org/model" },
        secrets: { TOKEN: "t" },
      },
      fileMounts: [{ path: "/conf", source: "./conf" }],
      buckets: [{ path: "/out", source: "s3://bucket", mode: "mount" }],
    });
  });

  test("no key that SkyPilot knows is unknown", () => {
    const top =
      "service pool volumes volume_mounts config inputs outputs event_callback managed_secrets execution primary_tasks";
    const inner =
      "any_of ordered job_recovery spot_recovery network_tier accelerator_args volumes max_hourly_cost priority local_disk";
    const text = `${top.split(" ").map(bearing).join("\n")}\nresources:\n${inner
      .split(" ")
      .map(key => `  ${key}: {}`)
      .join("\n")}\n`;
    expect(problems(text).map(({ message }) => message)).not.toContain("is not a key that Muster knows");
    const done = "run name envs secrets resources workdir file_mounts num_nodes setup";
    for (const key of done.split(" ")) expect(problems(`${key}:\n`)).toEqual([]);
  });

  test.each([
    ["resources: { accelerators: tpu-v5e-8 }", "resources.accelerators"],
    ["file_mounts: { /x: $BUCKET }\nenvs: { BUCKET: r2://b }", "file_mounts./x"],
  ])("%s is known and cannot be done", (text, path) => {
    expect(read(`${text}\n`).unsupported).toMatchObject([{ path }]);
  });

  test("a slip inside a storage object is found", () => {
    expect(problems("file_mounts:\n  /x:\n    sorce: s3://b\n")).toMatchObject([
      { path: "file_mounts./x.sorce", line: 3, suggestion: "did you mean 'source'?" },
    ]);
  });

  test("of a key that is there twice the last counts, with a warning", () => {
    const { draft, warnings } = read("resources: { cloud: aws }\nrun: a\nrun: b\n");
    expect(draft.task.run).toBe("b");
    expect(warnings).toEqual(["run (line 3): is there twice: on line 2, and again here; the last one counts"]);
  });
});

describe("Oumi's form", () => {
  test("Oumi's markers stand over SkyPilot's", () => {
    expect(read(oumi).dialect).toBe("oumi");
  });

  test("a job is read, with what Oumi coerces coerced", () => {
    const { draft, unsupported } = read(oumi);
    expect(unsupported).toEqual([]);
    expect(draft).toEqual({
      task: {
        name: "sft-1",
        onError: "continue",
        resources: { provider: "gcp", accelerators: { A100: 4 }, spot: false, diskSize: 200 },
        nodes: 4,
        envs: { RUN_NAME: `sft.\${USER}`, PARALLEL: "False", RATE: "1.5", STEP: "1e-05", SEED: "7" },
        secrets: {},
        storedSecrets: [],
        packages: [],
        setup: "pip install something",
        run: `set -e\necho "\${RUN_NAME} \${SKYPILOT_NODE_RANK}"\n`,
      },
      workdir: ".",
      fileMounts: [{ path: "~/.netrc", source: "~/.netrc" }],
      buckets: [],
      missing: [],
      user: "someone",
    });
  });

  const job = (more: string) => `working_dir: .\nrun: x\nresources: { cloud: local }\n${more}\n`;

  test.each([
    ["nosuch: 1", "nosuch", undefined],
    ["workdir: .", "workdir", "did you mean 'working_dir'?"],
    ["nodes: 2", "nodes", "did you mean 'num_nodes'?"],
    ["timeout: 3", "timeout", undefined],
    ["secrets: {}", "secrets", undefined],
  ])("%s is not a key of an Oumi job", (text, path, suggestion) => {
    expect(problems(job(text))).toEqual([
      { path, line: 4, message: "is not a key of an Oumi job", ...(suggestion !== undefined && { suggestion }) },
    ]);
  });

  test.each(["run: x", "resources: { cloud: local }"])("a job with only %s lacks something", text => {
    expect(problems(`working_dir: .\n${text}\n`)).toMatchObject([
      { message: "is missing, and an Oumi job must have it" },
    ]);
  });

  test("the cloud may come from the command line", () => {
    const { draft } = read("working_dir: .\nrun: x\n", { overrides: ["resources.cloud=local"] });
    expect(draft.task.resources.provider).toBe("local");
  });

  test.each([
    ["yes", true],
    ["'on'", true],
    ["2", true],
    ["0", false],
    ["'no'", false],
  ])("use_spot: %s", (text, wanted) => {
    const { draft } = read(`working_dir: .\nrun: x\nresources: { cloud: aws, use_spot: ${text} }\n`);
    expect(draft.task.resources.spot).toBe(wanted);
  });

  test.each(["num_nodes: 0", "num_nodes: many", "envs: [A]", "envs: { A: [b] }"])("%s is refused", text => {
    expect(problems(job(text))).toHaveLength(1);
  });

  test.each(["disk_size: 500GB", "accelerators: { A100: 4 }", "ports: 80", "infra: aws"])(
    "resources.%s is refused",
    text => {
      expect(problems(`working_dir: .\nrun: x\nresources: { cloud: aws, ${text} }\n`)).toHaveLength(1);
    },
  );

  test("buckets of S3 are mounted, and those of others cannot be", () => {
    expect(read(job("storage_mounts: { /x: { source: s3://bucket/a, store: S3 } }")).draft.buckets).toEqual([
      { path: "/x", source: "s3://bucket/a", mode: "mount" },
    ]);
    expect(read(job("storage_mounts: { /x: { source: gs://b, store: gcs } }")).unsupported).toMatchObject([
      { path: "storage_mounts./x" },
    ]);
    expect(problems(job("storage_mounts: { /x: { source: here, store: disk } }"))).toHaveLength(2);
    expect(problems(job("storage_mounts: { /x: { sauce: s3://b } }"))).toHaveLength(3);
  });

  test("a mount's place is not shared by a bucket and a file", () => {
    const text = job("storage_mounts: { /x: { source: s3://bucket, store: s3 } }\nfile_mounts: { /x: y }");
    expect(problems(text)).toMatchObject([{ path: "file_mounts./x" }]);
  });

  test("paths are left as they are written", () => {
    const text = job("envs: { A: x }\nfile_mounts: { /$A: $A/b }");
    expect(read(text).draft.fileMounts).toEqual([{ path: "/$A", source: "$A/b" }]);
  });

  test("a map of images is left alone when there is an image", () => {
    const with_ = (more: string) =>
      read(`working_dir: .\nrun: x\nresources: { cloud: aws, image_id_map: {a: b}${more} }\n`);
    expect(with_("").draft.task.resources).toMatchObject({ images: { a: "b" } });
    expect(with_(", image_id: c")).toMatchObject({ unsupported: [], draft: { task: { resources: { image: "c" } } } });
  });

  test("a key that is there twice, and a second document, are refused", () => {
    expect(problems(job("run: y"))).toEqual([
      { path: "run", line: 4, message: "is there twice: on line 2, and again here" },
    ]);
    expect(problems(job("---\nrun: y"))).toMatchObject([{ path: "---" }]);
  });
});
