/** What one cluster must be for all tasks of a file, and the order in which they are sent. Pure. */

import { read } from "@muster/task/read.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { machinesFor } from "../../packages/cli/src/pipeline/machines.ts";
import { stepsOf } from "../../packages/cli/src/pipeline/order.ts";

const drafts = (...resources: string[]) =>
  read(resources.map(one => `${one}\non_error: stop\nrun: x\n`).join("---\n"), { dialect: "muster" }).tasks;
const machines = (...resources: string[]) => machinesFor(drafts(...resources));
const issues = (...resources: string[]) => {
  try {
    return machines(...resources);
  } catch (error) {
    return (error as { details: { issues: unknown } }).details.issues;
  }
};

describe("the machines", () => {
  test("are as large and as many as the largest asks for", () => {
    expect(
      machines(
        "resources: { cpus: 4, memory: 64+, accelerators: A100:1, disk_size: 100 }",
        "num_nodes: 3\nresources: { cpus: 8+, accelerators: A100:4, max_hourly: 5 }",
        "resources: { memory: 32, max_hourly: 3 }",
      ),
    ).toEqual({
      nodes: 3,
      resources: {
        cpus: { count: 8, atLeast: true },
        memory: { gib: 64, atLeast: true },
        accelerators: { A100: 4 },
        diskSize: 100,
        maxHourly: 3,
      },
    });
  });

  test("of as large a number are what is said more exactly, whichever comes first", () => {
    const exact = { resources: { cpus: { count: 4, atLeast: false } } };
    expect(machines("resources: { cpus: 4+ }", "resources: { cpus: 4 }")).toMatchObject(exact);
    expect(machines("resources: { cpus: 4 }", "resources: { cpus: 4+ }")).toMatchObject(exact);
  });

  test.each([
    ["other zones", ["resources: { zone: a }", "resources: { zone: b }"], "task 2: resources.zone"],
    [
      "other accelerators",
      ["resources: { accelerators: A100:1 }", "resources: { accelerators: H100:1 }"],
      "task 2: resources.accelerators",
    ],
    [
      "choices of one alone",
      ["resources: { any_of: [{ cpus: 2 }, { cpus: 4 }] }", "resources: { cpus: 8 }"],
      "task 2: resources.any_of",
    ],
    [
      "groups beside resources",
      ["groups: [{ name: a }]", "name: second\nresources: { cpus: 8 }"],
      "task 2 ('second'): resources",
    ],
    ["other groups", ["groups: [{ name: a }]", "groups: [{ name: b }]"], "task 2: groups"],
  ])("cannot be those for %s", (_, resources, path) => {
    expect(issues(...resources)).toMatchObject([{ path }]);
  });

  test("are the groups of one task for the others that ask for nothing", () => {
    expect(machines("resources: {}", "groups: [{ name: a, num_nodes: 2 }]")).toMatchObject({
      resources: {},
      groups: [{ name: "a", nodes: 2 }],
    });
  });

  test("that all ask for alike are those, with choices too", () => {
    const choices = "resources: { any_of: [{ cpus: 2 }, { cpus: 4 }] }";
    expect(machines(choices, choices, "resources: {}").resources).toEqual(drafts(choices)[0]?.task.resources);
  });
});

test("each task is sent after all that it waits for, and else in the order of the file", () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.nat(19), { maxLength: 4 }), { minLength: 1, maxLength: 20 }), picks => {
      // Whatever stands before it in a shuffled order may be waited for: no circles.
      const rank = (index: number) => (index * 7) % picks.length;
      const waits = picks.map((some, index) =>
        [...new Set(some)]
          .filter(other => other < picks.length && rank(other) < rank(index))
          .map(task => ({ task, on: "success" as const })),
      );
      const tasks = picks.map((_, index) => ({ ...drafts("resources: {}")[0], task: { name: `t${index}` } }) as never);
      const steps = stepsOf({ tasks, waits });
      expect(steps).toHaveLength(picks.length);
      for (const [at, step] of steps.entries()) for (const wait of step.waits) expect(wait.task).toBeLessThan(at);
      if (waits.every(some => some.length === 0))
        expect(steps.map(({ title }) => title)).toEqual(picks.map((_, index) => `task ${index + 1} ('t${index}')`));
    }),
    { numRuns: 100 },
  );
});
