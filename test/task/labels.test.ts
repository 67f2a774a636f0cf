/** Labels of jobs, in a file and on the command line. Pure. */
import { TaskFileError } from "@muster/task/error.ts";
import { read } from "@muster/task/read.ts";
import { write } from "@muster/task/write.ts";
import { describe, expect, test } from "vitest";
import { label, labelsOf } from "../../packages/cli/src/label-option.ts";
import { taskOf } from "../../packages/cli/src/task-options.ts";

const labelsIn = (text: string, overrides: readonly string[] = []) =>
  read(`${text}\nrun: x\n`, { overrides: [...overrides] }).tasks[0]?.task.labels;

describe("labels in a file", () => {
  test.each([
    ["labels: { team: vision, stage: }", { team: "vision", stage: "" }],
    ["labels: { version: 1.10, on: yes, count: 7 }", { version: "1.10", on: "yes", count: "7" }],
    ["labels: { 'a/b.c-d_e': 'x y' }", { "a/b.c-d_e": "x y" }],
    ["labels: {}", undefined],
    ["labels:", undefined],
  ])("%s", (text, labels) => {
    expect(labelsIn(text)).toEqual(labels);
  });

  test("make a file Muster's own, and come back as they were written", () => {
    const result = read("labels: { team: vision }\nresources: { cloud: local }\nrun: x\n");
    expect(result.dialect).toBe("muster");
    expect(write(result)).toContain("labels:\n  team: vision\n");
  });

  test.each([
    ["labels: [a]", "labels", "must be a map, and is a list"],
    ["labels: { a: [b] }", "labels.a", "must be text, and is a list"],
    ["labels: { -a: b }", "labels.-a", /^use letters, digits/],
    [`labels: { a: ${"x".repeat(64)} }`, "labels.a", "must be 63 characters at most"],
    ["labels: { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8, i: 9 }", "labels", "at most 8 labels"],
  ])("%s is refused", (text, path, message) => {
    let caught: unknown;
    try {
      labelsIn(text);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(TaskFileError);
    expect((caught as TaskFileError).issues).toMatchObject([
      { path, message: typeof message === "string" ? message : expect.stringMatching(message) },
    ]);
  });

  test("may be given as options, by their path", () => {
    expect(labelsIn("labels: { a: b }", ["labels.c=d"])).toEqual({ a: "b", c: "d" });
  });
});

describe("--label", () => {
  test("may be said again, and stands over the file", () => {
    const given = label("b=x=y", label("a"));
    expect(given).toEqual({ a: "", b: "x=y" });
    expect(labelsOf({ b: "file", c: "file" }, { label: given })).toEqual({ labels: { a: "", b: "x=y", c: "file" } });
    expect(labelsOf({ b: "file" }, {})).toEqual({});
    expect(taskOf({ labels: { c: "d" } }, { label: given })).toMatchObject({ labels: { a: "", b: "x=y", c: "d" } });
  });

  test.each(["=x", "-a=b", "a b=c", `a=${"x".repeat(64)}`])("%s is refused", given => {
    expect(() => label(given)).toThrow(/^Write KEY=VALUE: /);
  });
});
