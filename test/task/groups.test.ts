/** What a task file says of EC2's machines, and of hosts of several kinds. Pure. */
import { describe, expect, test } from "vitest";
import { problems, read, resources } from "./support.ts";

describe("what EC2 can do", () => {
  test("every option has a key", () => {
    const text = `resources:
  use_spot: true
  spot_fallback: true
  max_hourly: 2.5
  reservation: cr-0123456789abcdef0
  placement_group: true
  efa: true
`;
    const { draft, warnings, unsupported } = read(text);
    expect({ warnings, unsupported }).toEqual({ warnings: [], unsupported: [] });
    expect(draft.task.resources).toEqual({
      spot: true,
      spotFallback: true,
      maxHourly: 2.5,
      reservation: "cr-0123456789abcdef0",
      placementGroup: true,
      efa: true,
    });
  });

  test.each([
    ["3", 3],
    ["'2.50'", 2.5],
    ["$2.50", 2.5],
    [".5", 0.5],
  ])("max_hourly: %s", (text, wanted) => {
    expect(resources(`{ max_hourly: ${text} }`).maxHourly).toBe(wanted);
  });

  test.each([
    "max_hourly: 0",
    "max_hourly: -1",
    "max_hourly: cheap",
    "max_hourly: 2 EUR",
    "max_hourly: true",
    "max_hourly: [1]",
    "max_hourly: 1000000",
    "efa: 1",
    "placement_group: cluster",
    "spot_fallback: maybe",
    "reservation: ''",
    "reservation: 12",
  ])("%s is refused with its path", text => {
    expect(problems(`resources:\n  ${text}\n`)).toMatchObject([{ path: `resources.${text.split(":")[0]}`, line: 2 }]);
  });

  test("spot_fallback alone is told to say nothing", () => {
    const { draft, warnings } = read("resources: { spot_fallback: true }\n");
    expect(draft.task.resources).toEqual({ spotFallback: true });
    expect(warnings).toEqual([expect.stringMatching(/^resources\.spot_fallback: says nothing without use_spot/)]);
    expect(read("resources: { spot_fallback: false }\n").warnings).toEqual([]);
    expect(read("resources: { spot_fallback: true, use_spot: yes }\n").warnings).toEqual([]);
  });

  test.each([
    ["resources: { spot_falback: true }", "did you mean 'spot_fallback'?"],
    ["resources: { maxHourly: 3 }", "did you mean 'max_hourly'?"],
    ["resources: { placement_groups: true }", "did you mean 'placement_group'?"],
    ["resources: { reservations: x }", "did you mean 'reservation'?"],
    ["resources: { eaf: true }", "did you mean 'efa'?"],
    ["efa: true", "did you mean 'resources.efa'?"],
    ["max_hourly: 3", "did you mean 'resources.max_hourly'?"],
    ["resources: { groups: [] }", "did you mean 'groups'?"],
    ["grups: []", "did you mean 'groups'?"],
  ])("%s gets a suggestion", (text, suggestion) => {
    expect(problems(`${text}\n`)).toEqual([
      { path: expect.any(String), line: 1, message: "is not a key that Muster knows", suggestion },
    ]);
  });

  test("Oumi's jobs have none of them", () => {
    const text = "resources: { cloud: aws, efa: true }\nworking_dir: .\ngroups: []\nrun: x\n";
    expect(problems(text).map(({ path }) => path)).toEqual(["resources.efa", "groups"]);
  });
});

const file = `name: study
groups:
  - name: orchestrator
    schedulable: false
    resources: { instance_type: m7i.large, max_hourly: 1 }
  - name: factories
    num_nodes: 2
    resources:
      infra: aws/us-east-1
      accelerators: A100:8
      use_spot: true
      labels: { team: vision }
num_nodes: 2
run: flambe run.yaml
`;

describe("groups", () => {
  test("each has its name, its hosts and its resources; the nodes beside them are the job's", () => {
    const { dialect, draft, warnings, unsupported } = read(file);
    expect({ dialect, warnings, unsupported }).toEqual({ dialect: "muster", warnings: [], unsupported: [] });
    expect(draft.groups).toEqual([
      {
        name: "orchestrator",
        nodes: 1,
        schedulable: false,
        resources: { instanceType: "m7i.large", maxHourly: 1 },
      },
      {
        name: "factories",
        nodes: 2,
        schedulable: true,
        resources: {
          provider: "aws",
          region: "us-east-1",
          accelerators: { A100: 8 },
          spot: true,
          labels: { team: "vision" },
        },
      },
    ]);
    expect(draft.task).toMatchObject({ name: "study", nodes: 2, resources: {} });
  });

  test("a file without them has none", () => {
    expect(read("run: x\n").draft).not.toHaveProperty("groups");
    expect(read("run: x\ngroups:\n").draft).not.toHaveProperty("groups");
  });

  test("resources beside them are refused, where they stand; when they stop is not a matter of resources", () => {
    expect(problems(`${file}resources: { cpus: 4 }\n`)).toEqual([
      { path: "resources", line: 15, message: "cannot stand beside groups: each of them says its own" },
    ]);
    expect(read(`${file}resources: { autostop: 5 }\n`).draft.idle).toMatchObject({ after: 5, action: "stop" });
  });

  test("every mistake in one is told with its path and line", () => {
    const text = `groups:
  - resources: { cpu: 2 }
  - name: w
    nodes: two
    num_nodes: 3
    size: 4
    resources:
      accelerators: A100:0
      autostop: 5
      efa: 1
  - workers
  - name: w
    efa: true
    resources: { spot: true, use_spot: true, schedulable: no }
`;
    expect(problems(text)).toEqual([
      {
        path: "groups.0.resources.cpu",
        line: 2,
        message: "is not a key that Muster knows",
        suggestion: "did you mean 'cpus'?",
      },
      { path: "groups.0", line: 2, message: "has no name", suggestion: "add `name: workers`" },
      { path: "groups.1.nodes", line: 4, message: "must be a whole number, and is text" },
      { path: "groups.1.size", line: 6, message: "is not a key that Muster knows" },
      {
        path: "groups.1.resources.accelerators",
        line: 8,
        message: "asks for 0 of A100; the least is more than 0",
      },
      {
        path: "groups.1.resources.autostop",
        line: 9,
        message: "is said of the whole cluster",
        suggestion: "write idle beside groups",
      },
      { path: "groups.1.resources.efa", line: 10, message: "must be true or false, and is the number 1" },
      { path: "groups.2", line: 11, message: "must be a map, and is text" },
      {
        path: "groups.3.efa",
        line: 13,
        message: "is not a key that Muster knows",
        suggestion: "did you mean 'resources.efa'?",
      },
      {
        path: "groups.3.resources.schedulable",
        line: 14,
        message: "is not a key that Muster knows",
        suggestion: "did you mean 'schedulable'?",
      },
      {
        path: "groups.3.resources.spot",
        line: 14,
        message: "says the same as groups.3.resources.use_spot: keep one of them",
      },
    ]);
  });

  test.each([
    ["groups: [{ name: a }, { name: A }]", "groups.1.name", "there is a group 'A' already"],
    [
      "groups: [{ name: a, schedulable: no }]",
      "groups",
      "at least one group must be schedulable: jobs run nowhere else",
    ],
    ["groups: [{ name: a, nodes: 0 }]", "groups.0.nodes", "must be at least 1"],
    [
      "groups: [{ name: a, resources: { max_hourly: 200000 } }]",
      "groups.0.resources.max_hourly",
      "must be 100000 at most, which is Muster's bound",
    ],
    [
      "groups: [{ name: a, resources: { cloud: x } }, { name: b, resources: { cloud: y } }]",
      "groups.1.resources.cloud",
      "all groups of a cluster have one provider, here 'x'",
    ],
    [
      "groups: [{ name: a, nodes: 2 }]\nnum_nodes: 3",
      "num_nodes",
      "the job wants 3 hosts; these groups have 2 for jobs",
    ],
    ["groups: []", "groups", "has no group in it"],
    ["groups: { a: 1 }", "groups", "must be a list of groups, and is a map"],
  ])("%s is refused", (text, path, message) => {
    expect(problems(`${text}\n`)).toEqual([{ path, line: expect.any(Number), message }]);
  });

  test("a group's keys can be overridden, in the spelling that the file has", () => {
    const overrides = [
      "groups.0.resources.instance_type=null",
      "groups.1.nodes=4",
      "groups.1.resources.cloud=local",
      "groups.1.resources.spot=false",
      "groups.1.resources.gpus=null",
    ];
    expect(read(file, { overrides }).draft.groups).toMatchObject([
      { resources: { maxHourly: 1 } },
      { nodes: 4, resources: { provider: "local", spot: false, labels: { team: "vision" } } },
    ]);
    const [first, second] = read(file, { overrides }).draft.groups ?? [];
    expect(first?.resources).not.toHaveProperty("instanceType");
    expect(second?.resources).not.toHaveProperty("accelerators");
    expect(second?.resources).not.toHaveProperty("region");
  });

  test("an override of a group that is not there is a mistake", () => {
    expect(problems(file, { overrides: ["groups[2].nodes=4"] })).toEqual([
      { path: "groups.2.nodes", message: "has no item 2: there are 2, counted from 0" },
    ]);
    expect(problems(file, { overrides: ["groups.x.nodes=4"] })).toHaveLength(1);
  });
});
