import { Task } from "@muster/core/task/task.ts";
import { type Options, parseOverrides, TaskFileError } from "@muster/task/read.ts";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { read } from "./support.ts";

/** fast-check's assert may give a promise; not for properties that give none. */
const verify: <T>(property: fc.IProperty<T>, parameters?: fc.Parameters<T>) => void = fc.assert;

/** Reads, or says that the file was refused; anything but a TaskFileError comes through. */
function attempt(text: string, options?: Options) {
  try {
    return read(text, options);
  } catch (error) {
    if (!(error instanceof TaskFileError)) throw error;
    expect(error.issues.length).toBeGreaterThan(0);
    for (const issue of error.issues) expect(issue.line ?? 1).toBeGreaterThan(0);
    return undefined;
  }
}

/** What the client will send, once it has uploaded what the draft names. */
function holds(text: string, options?: Options): void {
  const result = attempt(text, options);
  if (result === undefined) return;
  const { task, fileMounts, buckets, missing } = result.draft;
  const files = fileMounts.map(({ path }) => ({ path, upload: "a".repeat(64), kind: "file" }));
  // A bucket's name may wait for the value of a variable.
  const mounts = missing.length > 0 ? files : [...files, ...buckets.map(bucket => ({ ...bucket, kind: "bucket" }))];
  expect(Task.safeParse({ ...task, mounts }).error?.issues).toBeUndefined();
}

const scraps = fc.constantFrom(
  ..."run: |name: |resources:|  accelerators: |envs:|  A: |working_dir: .|secrets: |file_mounts:|: |- |[|]|{|}|&a |*a|<<: *a|? |---|!!str |\t|'|\"|# |A100:4|1e-5|0x|0b_|on|~|\n|\n  |>\n|%YAML 1.1|,|\0|é|:30|idle: |infra: |aws/*|2h|-1|.inf".split(
    "|",
  ),
  "|\n",
);
const yamlish = fc.array(scraps, { maxLength: 40 }).map(parts => parts.join(""));
const keys = fc.constantFrom(
  ..."name resources cloud provider infra region accelerators gpus cpus memory disk_size disk_tier image_id ports labels autostop idle after then action envs secrets file_mounts workdir working_dir user storage_mounts num_nodes run setup timeout use_spot service any_of ordered packages priority max_hourly_cost network_tier managed_secrets config source store mode name url ref __proto__ constructor".split(
    " ",
  ),
);
const leaves = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom("A100:4", "4+", "2h", "aws/x", "s3://bucket/x", "$A", "pip:x", "COPY", "secrets:A"),
);
const { tree } = fc.letrec(tie => ({
  tree: fc.oneof(
    { depthSize: "small" },
    leaves,
    fc.dictionary(keys, tie("tree"), { maxKeys: 6 }),
    fc.array(tie("tree"), { maxLength: 3 }),
  ),
}));

test("no text makes anything but a TaskFileError", () => {
  verify(fc.property(fc.string({ unit: "binary", maxLength: 200 }), text => holds(text)));
  verify(
    fc.property(yamlish, text => holds(text)),
    { numRuns: 500 },
  );
});

test("no tree of known keys makes anything but a TaskFileError, in any dialect", () => {
  const dialect = fc.constantFrom("muster", "skypilot", "oumi", undefined);
  const property = fc.property(fc.dictionary(keys, tree, { maxKeys: 8 }), dialect, (value, dialect) => {
    holds(JSON.stringify(value), dialect === undefined ? {} : { dialect });
  });
  verify(property, { numRuns: 200 });
});

test("no override makes anything but a TaskFileError", () => {
  const segment = fc.oneof(keys, fc.string({ maxLength: 5 }), fc.nat(3).map(String));
  const path = fc.array(segment, { minLength: 1, maxLength: 4 });
  const override = fc.tuple(path, fc.oneof(fc.string(), yamlish)).map(([path, value]) => `${path.join(".")}=${value}`);
  const base = "name: a\nresources: { infra: aws/x, ports: [1, 2] }\nenvs: { A: x }\n";
  const overrides = fc.array(fc.oneof(override, fc.string()), { maxLength: 4 });
  verify(
    fc.property(overrides, overrides => holds(base, { overrides })),
    { numRuns: 500 },
  );
});

test("no arguments make anything but overrides or a TaskFileError", () => {
  const argument = fc.oneof(
    fc.string(),
    fc.string().map(text => `--${text}`),
  );
  const property = fc.property(fc.array(argument), argv => {
    try {
      for (const override of parseOverrides(argv)) expect(override).toContain("=");
    } catch (error) {
      expect(error).toBeInstanceOf(TaskFileError);
    }
  });
  verify(property);
});

test("a simple task comes back as it was written", () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9]{0,20}$/);
  // Text as a script or variable has it: no controls, and no half of a pair of surrogates.
  const text = fc
    .string({ unit: "grapheme", minLength: 1 })
    .filter(value => !/[\p{Cc}\p{Cs}\uFFFE\uFFFF\uFEFF]/u.test(value));
  const simple = fc.record({
    name: word,
    run: text,
    nodes: fc.integer({ min: 1, max: 1024 }),
    envs: fc.dictionary(fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,10}$/), text, { maxKeys: 4 }),
    gpu: fc.stringMatching(/^[A-Z][A-Z0-9-]{0,8}$/),
    count: fc.integer({ min: 1, max: 16 }),
  });
  const property = fc.property(simple, ({ name, run, nodes, envs, gpu, count }) => {
    const value = { name, num_nodes: nodes, resources: { accelerators: `${gpu}:${count}` }, envs, run };
    const source = JSON.stringify(value);
    const { draft } = read(source, { dialect: "muster" });
    const resources = { accelerators: { [gpu]: count } };
    const none = { secrets: {}, storedSecrets: [], packages: [] };
    expect(draft.task).toEqual({ name, onError: "stop", nodes, resources, envs, ...none, run });
  });
  verify(property, { numRuns: 200 });
});
