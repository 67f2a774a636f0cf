/** Working folders from git, buckets and storage objects. Pure. */
import { describe, expect, test } from "vitest";
import { problems, read } from "./support.ts";

const mounted = (value: string, more = "") => read(`${more}file_mounts:\n  /at: ${value}\n`);

describe("buckets", () => {
  test.each([
    ["s3://bucket", "s3://bucket", "copy"],
    ["S3://bucket/a b", "s3://bucket/a b", "copy"],
    ["{ source: s3://bucket/in }", "s3://bucket/in", "mount"],
    ["{ source: s3://bucket, mode: COPY }", "s3://bucket", "copy"],
    [
      "{ source: s3://bucket, mode: mount_cached, store: S3, name: bucket, persistent: false }",
      "s3://bucket",
      "mount_cached",
    ],
  ])("%s", (value, source, mode) => {
    const { draft, warnings, unsupported } = mounted(value);
    expect(draft.buckets).toEqual([{ path: "/at", source, mode }]);
    expect({ warnings, unsupported, files: draft.fileMounts }).toEqual({ warnings: [], unsupported: [], files: [] });
  });

  test("by its name alone it is mounted, with what becomes of it", () => {
    const { draft, warnings } = mounted("{ name: $NAME, store: s3 }", "envs: { NAME: my-bucket }\n");
    expect(draft.buckets).toEqual([{ path: "/at", source: "s3://my-bucket", mode: "mount" }]);
    expect(warnings).toEqual([
      "file_mounts./at: Muster mounts the bucket s3://my-bucket, and neither makes nor deletes it",
    ]);
  });

  test.each([
    ["gs://bucket", "gcs"],
    ["{ source: gs://bucket }", "gcs"],
    ["{ source: s3://bucket, store: R2 }", "r2"],
    ["{ name: bucket, store: azure }", "azure"],
    ["{ source: cos://us/bucket }", "ibm"],
    ["{ source: nebius://bucket }", "nebius"],
    ["{ name: disk, store: volume }", "volumes"],
    ["https://example.org/data.tgz", "fetched from a URL"],
    ["https://account.blob.core.windows.net/container", "azure"],
    ["{ name: bucket, source: ./here }", "local files"],
    ["{ name: bucket, source: [./a, ./b], mode: COPY }", "local files"],
    ["tigris://bucket", "tigris"],
    ["sftp://host/x", "files under sftp://"],
  ])("%s cannot be done, which names the store", (value, why) => {
    const { draft, unsupported } = mounted(value);
    expect(unsupported).toEqual([{ path: "file_mounts./at", why: expect.stringContaining(why) }]);
    expect({ buckets: draft.buckets, files: draft.fileMounts }).toEqual({ buckets: [], files: [] });
  });

  test.each(["./here", "[./here]"])("local files of mode COPY (%s) are plain files, with a warning", source => {
    const { draft, warnings } = mounted(`{ name: bucket, source: ${source}, mode: COPY }`);
    expect(draft).toMatchObject({ fileMounts: [{ path: "/at", source: "./here" }], buckets: [] });
    expect(warnings).toEqual(["file_mounts./at: the files are sent to the host; no bucket is made of them"]);
  });

  test("settings of SkyPilot's mounts are checked, and left out", () => {
    const settings =
      "type: dataset_ro, mount_options: ro, config: { mount: { read_only: true }, mount_cached: { transfers: 4 } }";
    const { draft, warnings } = mounted(`{ source: s3://bucket, ${settings} }`);
    expect(draft.buckets).toHaveLength(1);
    expect(warnings.map(warning => warning.split(":", 1)[0])).toEqual([
      "file_mounts./at.type",
      "file_mounts./at.mount_options",
      "file_mounts./at.config",
    ]);
  });

  test("of one that cannot be done at all, nothing is said to be left out", () => {
    expect(mounted("{ name: disk, store: volume, config: { disk_size: 10 } }")).toMatchObject({
      warnings: [],
      unsupported: [{ path: "file_mounts./at" }],
    });
  });

  test.each([
    [`{ name: '\${BUCKET}', mode: MOUNT }`, "file_mounts./at.name", `\${BUCKET}`],
    ["{ mode: COPY, source: $BUCKET }", "file_mounts./at.source", "$BUCKET"],
    ["$BUCKET", "file_mounts./at", "$BUCKET"],
  ])("of %s it is told that the variable is empty", (value, path, written) => {
    const text = `envs: { BUCKET: '' }\nfile_mounts:\n  /at: ${value}\n`;
    expect(problems(text)).toEqual([
      { path, line: 3, message: `is ${written}, which is empty`, suggestion: "give it with -e BUCKET=…" },
    ]);
    expect(problems(text, { envs: { BUCKET: "my-data" } })).toEqual([]);
  });

  test("a name that no bucket has is told at its own line", () => {
    expect(problems("file_mounts:\n  /at:\n    mode: MOUNT\n    name: YOUR_OWN_BUCKET\n")).toEqual([
      {
        path: "file_mounts./at.name",
        line: 4,
        message:
          "must be the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends",
      },
    ]);
    expect(problems("file_mounts:\n  /at:\n    source: s3://A_B\n")).toMatchObject([
      { path: "file_mounts./at.source", line: 3 },
    ]);
  });

  test("one whose name waits for a variable is no mistake yet", () => {
    const { draft } = mounted("{ name: $NAME }", "envs: { NAME: }\n");
    expect(draft.buckets).toEqual([{ path: "/at", source: "s3://$NAME", mode: "mount" }]);
    expect(problems("file_mounts: { /at: { name: $NAME } }\n")).toHaveLength(1);
  });
});

describe("a git repository as the working folder", () => {
  test.each([
    "https://github.com/you/code.git",
    "http://git.example:3000/code",
    "ssh://git@github.com/you/code.git",
    "git@github.com:you/code.git",
  ])("%s", url => {
    expect(read(`workdir: { url: '${url}' }\n`).draft.workdir).toEqual({ url });
    expect(read(`workdir: { url: '${url}', ref: release/v1.0 }\n`).draft.workdir).toEqual({ url, ref: "release/v1.0" });
  });

  test("the file's variables are put into it", () => {
    const { draft } = read("envs: { TAG: v2 }\nworkdir: { url: https://github.com/you/code, ref: $TAG }\n");
    expect(draft.workdir).toEqual({ url: "https://github.com/you/code", ref: "v2" });
  });

  test("no message shows a password that stands in a URL", () => {
    const found = problems("workdir: { url: 'https://me:hunter2@github.com/you/code' }\n");
    expect(found).toHaveLength(1);
    expect(JSON.stringify(found)).not.toContain("hunter2");
  });
});

test("text that is put into itself does not grow without end", () => {
  const text = `envs: { A: ${"x".repeat(30_000)} }\nworkdir: ${"$A".repeat(50_000)}\n`;
  expect(problems(text)).toMatchObject([
    { path: "workdir", message: "is longer than 8192 characters with its variables put in" },
  ]);
});
