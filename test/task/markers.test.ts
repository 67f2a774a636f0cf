/** Whose a file is, by what stands in it. Pure. */
import { markers } from "@muster/task/dialect.ts";
import { describe, expect, test } from "vitest";
import { problems, read } from "./support.ts";

/** `resources.cloud` as the lines of a file that has it. */
const bearing = (key: string): string => {
  const keys = key.split(".");
  return keys.map((name, depth) => `${"  ".repeat(depth)}${name}:${depth === keys.length - 1 ? " {}" : ""}`).join("\n");
};

describe("which dialect", () => {
  test.each(markers.flatMap(marker => ("key" in marker ? [[marker.key, marker.dialect] as const] : [])))(
    "a file with %s is %s's",
    (key, dialect) => {
      const found = problems(`${bearing(key)}\n`, {});
      // Read to the end or not, the words of the message tell who was asked.
      const text = `${bearing(key)}\nnonsense: 1\n`;
      const unknown = problems(text).find(issue => issue.path === "nonsense");
      expect(unknown?.message).toBe(
        dialect === "oumi" ? "is not a key of an Oumi job" : "is not a key that Muster knows",
      );
      if (found.length > 0) return;
      const result = read(`${bearing(key)}\n`);
      expect(result).toMatchObject({ dialect, ...(dialect !== "muster" && { because: key }) });
      expect(result).not.toHaveProperty("unmarked");
    },
  );

  test.each([
    ["run: echo $SKYPILOT_NODE_RANK", "a script that reads SKYPILOT_ variables"],
    [`setup: echo "\${SKYPILOT_NODE_IPS}"`, "a script that reads SKYPILOT_ variables"],
    ["file_mounts: { /x: { name: bucket } }", "a storage object in file_mounts"],
    ["file_mounts: { /x: { source: s3://bucket, store: s3 } }", "a storage object in file_mounts"],
    ["name: a\n---\nrun: x", "several documents"],
    ["resources: { autostop: 5 }\nrun: x", "resources.autostop"],
    ["resources: { image_id: 'docker:ubuntu' }\nrun: x", "a container's image, as docker:…"],
    ["resources: { accelerators: tpu-v5e-8 }", "a TPU in accelerators"],
    ["resources: { accelerators: { tpu-v5e-8: 1 } }", "a TPU in accelerators"],
    ["run: ls ~/sky_workdir", "a script that goes to ~/sky_workdir"],
    ["setup: cat ~/sky_logs/x", "a script that goes to ~/sky_workdir"],
    ["# sky launch -c dev this.yaml\nrun: x", "a call of sky"],
    ["run: x # then: sky exec dev this.yaml", "a call of sky"],
    ["run: sky jobs queue", "a call of sky"],
    ["# sky down dev; then muster launch this.yaml\nrun: x", "a call of sky"],
  ])("%s is SkyPilot's", (text, because) => {
    expect(read(`${text}\n`)).toMatchObject({ dialect: "skypilot", because });
  });

  test.each([
    "idle: 10m\nresources: { cloud: aws }",
    "timeout: 1h\nresources: { any_of: [{ use_spot: true }, {}] }",
    "packages: [torch]\n# sky launch did this before",
    "groups: [{ name: a }]\nfile_mounts: { /x: s3://bucket }",
    "resources: { provider: aws, network_tier: best }",
    "resources: { use_spot: true, spot_fallback: true, autostop: 5 }",
    "resources: { cloud: aws, max_hourly: 3 }",
    "resources: { infra: aws, security_groups: sg-1 }",
    "resources: { cloud: aws }\nrun: echo $MUSTER_NODE_RANK of $SKYPILOT_NUM_NODES",
    "# muster launch this.yaml\nrun: x",
  ])("%s is Muster's own, whatever SkyPilot has in common with it", text => {
    const { dialect, because, unmarked } = read(`${text}\n`);
    expect([dialect, because, unmarked]).toEqual(["muster", undefined, undefined]);
  });

  test.each([
    "file_mounts: { /x: s3://bucket }",
    "file_mounts: { /x: { source: s3://bucket, mode: MOUNT } }",
    "file_mounts: { /x: https://example.org/x.tgz }",
    "workdir: { url: https://example.org/x.git, ref: main }",
  ])("%s is in both forms, and marks neither", text => {
    expect(read(`${text}\n`)).toMatchObject({ dialect: "muster", unmarked: true });
  });

  test("a file that nothing marks is taken for Muster's own, and that is said", () => {
    expect(read("run: echo the sky is up\n")).toMatchObject({ dialect: "muster", unmarked: true });
    expect(read("run: x\n", { dialect: "muster" })).not.toHaveProperty("unmarked");
  });

  test("an Oumi job with a key of Muster's is an Oumi job with a slip", () => {
    expect(problems("working_dir: .\nrun: echo $MUSTER_JOB_ID\nresources: { cloud: aws }\nidle: 5\n")).toMatchObject([
      { path: "idle", message: "is not a key of an Oumi job" },
    ]);
  });

  test("a file without a foreign marker is Muster's own", () => {
    const result = read("name: a\nresources: { accelerators: A100 }\nworkdir: .\nrun: echo $MUSTER_NODE_RANK\n");
    expect(result.dialect).toBe("muster");
    expect(result).not.toHaveProperty("because");
    expect(result.draft.task.onError).toBe("stop");
  });

  test("an override never changes the dialect, and the caller may", () => {
    expect(read("run: x\n", { overrides: ["resources.cloud=local"] })).toMatchObject({
      dialect: "muster",
      draft: { task: { resources: { provider: "local" } } },
    });
    expect(read("run: x\n", { dialect: "skypilot" }).draft.task.onError).toBe("continue");
  });
});
