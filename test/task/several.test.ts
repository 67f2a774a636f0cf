/** Files of several documents: pipelines and groups of jobs. Pure. */
import { read, TaskFileError } from "@muster/task/read.ts";
import { write } from "@muster/task/write.ts";
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
    expect(result).toMatchObject({ unsupported: [], waits: [[], [{ task: 0, on: "success" }]] });
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
  const group = (head = "", text = steps) => `name: all\nexecution: Parallel\n${head}---\n${text}`;

  test("run at the same time, and end together unless the header says whose end it is", () => {
    const result = read(group());
    expect(result).toMatchObject({ name: "all", execution: "parallel", waits: [[], []], unsupported: [] });
    expect(result.roles).toEqual([
      { primary: true, delay: 0 },
      { primary: true, delay: 0 },
    ]);
    expect(read(steps)).not.toHaveProperty("roles");
  });

  test.each([
    ["30s", [true, 30], [false, 30]],
    ["45", [true, 45], [false, 45]],
    ["{ judge: 1m30s }", [true, 0], [false, 90]],
    ["{ default: 5m, train: 0 }", [true, 0], [false, 300]],
  ])("the others go on for %s", (delay, train, judge) => {
    const { roles } = read(group(`primary_tasks: [train]\ntermination_delay: ${delay}\n`));
    expect(roles?.map(role => [role.primary, role.delay])).toEqual([train, judge]);
  });

  test("come back as they were written", () => {
    const first = read(group("primary_tasks: [train]\ntermination_delay: { judge: 90s }\n"));
    const { name, execution, roles } = read(write(first));
    expect({ name, execution, roles }).toEqual({ name: "all", execution: "parallel", roles: first.roles });
  });

  const many = Array.from({ length: 9 }, (_, index) => `name: t${index}\nrun: x\n`).join("---\n");
  test.each([
    [
      "one task",
      group("", "name: a\nrun: x\n"),
      "document 1: execution",
      "is for two tasks or more, and this file has one",
    ],
    ["nine tasks", group("", many), "document 1: execution", "is for 8 tasks at most, and this file has 9"],
    [
      "a group without a name",
      `execution: parallel\n---\n${steps}`,
      "document 1: execution",
      "wants a name beside it: the tasks find each other by it",
    ],
    [
      "a task without a name",
      group("", "name: a\nrun: x\n---\nrun: y\n"),
      "document 3: name",
      "is missing: the others find this task by its name",
    ],
    [
      "two tasks of one name",
      group("", "name: a-b\nrun: x\n---\nname: A_b\nrun: y\n"),
      "document 3: name",
      "another task of this file is called 'a-b'",
    ],
    ["a delay that is none", group("termination_delay: soon\n"), "document 1: termination_delay", undefined],
    ["a delay of two days", group("termination_delay: 2d\n"), "document 1: termination_delay", "must be a day at most"],
    [
      "a delay of nobody",
      group("termination_delay: { jugde: 30s }\n"),
      "document 1: termination_delay.jugde",
      "no task of this file is called 'jugde'",
    ],
    [
      "one that waits",
      group("", `${steps}after: train\n`),
      "document 3: after",
      "cannot be: all tasks of this file begin at once",
    ],
    ["many runs", group("", `${steps}runs: 3\n`), "document 3: runs", "cannot be: each task of this file runs once"],
    [
      "hosts of several kinds",
      group("", "name: a\nrun: x\n---\nname: b\nrun: y\ngroups: [{ name: c }]\n"),
      "document 3: groups",
      "cannot be: each task of this file has hosts of one kind",
    ],
  ])("%s is refused with its place", (_, text, path, message) => {
    expect(problems(text)[0]).toMatchObject({ path, ...(message !== undefined && { message }) });
  });

  test("a slip of a name is told", () => {
    expect(problems(group("termination_delay: { jugde: 30s }\n"))[0]?.suggestion).toBe("did you mean 'judge'?");
    expect(problems(group("primary_tasks: [tran]\n"))[0]?.suggestion).toBe("did you mean 'train'?");
  });

  test("one task alone has nobody to run with", () => {
    expect(read("execution: parallel\nrun: x\n").unsupported).toMatchObject([{ path: "execution" }]);
  });
});

test("an override says of which document it is nowhere, so it is written in the file", () => {
  const asked = (text: string) => problems(text, { overrides: ["num_nodes=2"] })[0]?.suggestion;
  expect(asked(steps)).toBe("write it in the file, in the document that it is meant for");
  expect(asked("name: one\n---\nrun: x\n")).toBe("write it in the file");
});

test("a hundred documents are read, and more are not", () => {
  const many = (count: number): string => Array.from({ length: count }, () => "run: x\n").join("---\n");
  expect(read(many(100)).tasks).toHaveLength(100);
  expect(problems(many(101))).toEqual([{ path: "", message: "has more than 100 documents" }]);
});

describe("what a task runs after", () => {
  const file = (...afters: string[]) =>
    afters.map((after, index) => `name: t${index}\n${after === "" ? "" : `after: ${after}\n`}run: x\n`).join("---\n");

  test("is said by the names of others, wherever they stand in the file", () => {
    const result = read(file("", "t2", "t0", "[t0, { task: t1, on: end }]"));
    expect(result).toMatchObject({ dialect: "muster", unsupported: [] });
    expect(result.waits).toEqual([
      [],
      [{ task: 2, on: "success" }],
      [{ task: 0, on: "success" }],
      [
        { task: 0, on: "success" },
        { task: 1, on: "end" },
      ],
    ]);
  });

  test("one that says nothing begins at once where others say something", () => {
    expect(read(file("", "", "t0")).waits).toEqual([[], [], [{ task: 0, on: "success" }]]);
  });

  test("comes back as it was written", () => {
    const { tasks, waits } = read(file("", "", "[t0, { task: t1, on: end }]"));
    const back = read(write(read(file("", "", "[t0, { task: t1, on: end }]"))));
    expect(back.waits).toEqual(waits);
    expect(back.tasks[2]?.after?.map(({ name, on }) => [name, on])).toEqual(
      tasks[2]?.after?.map(({ name, on }) => [name, on]),
    );
  });

  test.each([
    ["a name that no task has", file("", "t00"), "document 2: after", "no task of this file is called 't00'"],
    ["itself", file("", "t1"), "document 2: after", "is the task itself, which would wait for ever"],
    ["the same twice", file("", "[t0, t0]"), "document 2: after.1", "names 't0' twice"],
    [
      "a circle",
      file("", "[t0, t3]", "t1", "t2"),
      "document 2: after.0",
      "goes in a circle: 't1' waits for 't3' waits for 't2' waits for 't1'",
    ],
    [
      "one of two of a name",
      "name: a\nrun: x\n---\nname: a\nrun: x\n---\nafter: a\nrun: x\n",
      "document 3: after",
      undefined,
    ],
    ["no text", file("", "[[t0]]"), "document 2: after.0", "must be the name of a task, and is a list"],
    ["an end that is none", file("", "[{ task: t0, on: failure }]"), "document 2: after.0.on", undefined],
    ["one in a file of one task", "name: a\nafter: b\nrun: x\n", "after", "no task of this file is called 'b'"],
  ])("%s is refused with its place", (_, text, path, message) => {
    expect(problems(text)[0]).toMatchObject({ path, ...(message !== undefined && { message }) });
  });

  test("a slip of a name is told", () => {
    expect(problems("name: train\nrun: x\n---\nafter: trian\nrun: x\n")).toMatchObject([
      { suggestion: "did you mean 'train'?" },
    ]);
  });

  test("a hundred tasks that wait for all before them are read at once, and a circle of a hundred is found", () => {
    const all = Array.from({ length: 100 }, (_, count) =>
      count === 0 ? "" : `[${Array.from({ length: Math.min(count, 20) }, (_, back) => `t${count - 1 - back}`).join()}]`,
    );
    expect(read(file(...all)).waits).toHaveLength(100);
    expect(problems(file(...all.map((_, count) => `t${(count + 1) % 100}`)))).toHaveLength(1);
  });
});
