/** Files of several documents: pipelines and groups of jobs. Pure. */
import { read, TaskFileError } from "@muster/task/read.ts";
import { describe, expect, test } from "vitest";
import { problems } from "./support.ts";

const steps = "name: train\nrun: a\n---\nname: judge\nenvs: { A: on }\nrun: b\n";

describe("pipelines", () => {
  test("the tasks come in their order, under the name of the header", () => {
    const result = read(`name: both\n---\n${steps}`);
    expect(result).toMatchObject({ dialect: "skypilot", name: "both", execution: "serial" });
    expect(result.tasks.map(({ task }) => [task.name, task.run])).toEqual([
      ["train", "a"],
      ["judge", "b"],
    ]);
    expect(result.unsupported).toEqual([
      { path: "---", why: "pipelines: tasks that run one after the other; launch each document by itself" },
    ]);
    expect(result.warnings).toEqual([
      'document 3: envs.A (line 7): on without quotes is given to the script as "True"',
    ]);
  });

  test("a header is not needed", () => {
    const result = read(steps);
    expect(result.tasks).toHaveLength(2);
    expect(result).not.toHaveProperty("name");
    expect(result).toMatchObject({ execution: "serial" });
  });

  test("one task under a header is a task, of that name when it has none", () => {
    expect(read("name: one\n---\nrun: x\n")).toMatchObject({
      unsupported: [],
      tasks: [{ task: { name: "one", run: "x" } }],
    });
    expect(read("name: one\n---\nname: two\nrun: x\n").tasks).toMatchObject([{ task: { name: "two" } }]);
    expect(read("name: one\n---\nrun: x\n")).not.toHaveProperty("execution");
  });

  test("what cannot be done in one of them is told with its document", () => {
    expect(read("run: a\n---\nrun: b\nservice: { replicas: 1 }\n").unsupported.map(({ path }) => path)).toEqual([
      "---",
      "document 2: service",
    ]);
  });

  test("all mistakes of all documents are told, with one way to name them", () => {
    expect(problems("nam: x\nrun: a\n---\nnum_nodes: 0\nrun: b\n")).toMatchObject([
      { path: "document 1: nam", line: 1 },
      { path: "document 2: num_nodes", line: 4 },
    ]);
  });

  test("what is given on the command line is given to each", () => {
    const { tasks } = read("envs: { A: }\nrun: a\n---\nenvs: { A: 2 }\nrun: b\n", { envs: { A: "1" } });
    expect(tasks.map(({ task }) => task.envs)).toEqual([{ A: "1" }, { A: "1" }]);
  });

  test("an Oumi job is one document", () => {
    expect(() => read("working_dir: .\nrun: x\nresources: { cloud: aws }\n---\nrun: y\n")).toThrow(TaskFileError);
  });
});

describe("groups of jobs", () => {
  test("the header says how they run together", () => {
    const result = read(
      `name: all\nexecution: Parallel\nprimary_tasks: [train]\ntermination_delay: { judge: 30s }\n---\n${steps}`,
    );
    expect(result).toMatchObject({ name: "all", execution: "parallel" });
    expect(result.unsupported).toEqual([
      { path: "---", why: "groups of jobs: tasks that run at the same time; launch each document by itself" },
    ]);
  });

  test("one task alone has nobody to run with", () => {
    expect(read("execution: parallel\nrun: x\n").unsupported).toMatchObject([{ path: "execution" }]);
  });
});

test("an override says of which document it is nowhere, so each is launched by itself", () => {
  const asked = (text: string) => problems(text, { overrides: ["num_nodes=2"] })[0]?.suggestion;
  expect(asked(steps)).toBe("several tasks cannot run from one file yet; launch each document by itself");
  expect(asked("name: one\n---\nrun: x\n")).toBe("write it in the file");
});

test("a hundred documents are read, and more are not", () => {
  const many = (count: number): string => Array.from({ length: count }, () => "run: x\n").join("---\n");
  expect(read(many(100)).tasks).toHaveLength(100);
  expect(problems(many(101))).toEqual([{ path: "", message: "has more than 100 documents" }]);
});
