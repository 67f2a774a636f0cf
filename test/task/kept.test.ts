/** What a task file says of outputs and checkpoints. Pure. */
import { expect, test } from "vitest";
import { problems, read } from "./support.ts";

test("outputs are places on the host, one or many; a map of them is SkyPilot's, and says something else", () => {
  expect(read("outputs: results\nrun: x\n")).toMatchObject({
    dialect: "muster",
    draft: { task: { outputs: ["results"] } },
  });
  const text = "envs: { N: 3 }\noutputs: [results/*.json, ~/plots, /data/$N, results/*.json]\ncheckpoint: ~/ckpt\n";
  expect(read(text).draft.task).toMatchObject({
    outputs: ["results/*.json", "~/plots", "/data/3"],
    checkpoint: "~/ckpt",
  });
  const sky = read("outputs: { s3://bucket: 0.5 }\nrun: x\n");
  expect(sky).toMatchObject({ dialect: "skypilot", because: "outputs" });
  expect(sky.draft.task).not.toHaveProperty("outputs");
  expect(read("checkpoint: ~/ckpt\nresources: { cloud: aws }\n").dialect).toBe("muster");
});

test.each([
  ["outputs: [../x]", "outputs.0", "must not have '..' in it"],
  ["outputs: [s3://b/x]", "outputs.0", "must be a path on the host, and is a URL"],
  ["outputs: ['']", "outputs.0", "names no place"],
  ["outputs: []", "outputs", "must be at least 1"],
  ["outputs: [~ben/x]", "outputs.0", "only ~ itself is known, no other user's home"],
  ["outputs: [[a]]", "outputs.0", "must be text, and is a list"],
  [
    `outputs: [${Array.from({ length: 21 }, (_, n) => `a${n}`).join(", ")}]`,
    "outputs",
    "must be 20 at most, which is Muster's bound",
  ],
  ["checkpoint: '~'", "checkpoint", "must be a folder of its own"],
  ["checkpoint: [a]", "checkpoint", "must be text, and is a list"],
  ["checkpoint: ckpt/*", "checkpoint", "must be one folder, and is a pattern"],
  ["checkpoint: ckpt/../..", "checkpoint", "must not have '..' in it"],
])("%s is refused", (text, path, message) => {
  expect(problems(`${text}\non_error: stop\n`)).toEqual([expect.objectContaining({ path, message })]);
});
