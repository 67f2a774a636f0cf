import { parseOverrides, TaskFileError } from "@muster/task/read.ts";
import { describe, expect, test } from "vitest";
import { problems, read } from "./support.ts";

const file = `
name: a
resources:
  infra: aws/us-east-1/us-east-1a
  accelerators: A100
  ports: [80, 81]
num_nodes: 2
envs: { A: x }
setup: pip install
run: echo
`;
const task = (...overrides: string[]) => read(file, { overrides }).draft.task;

describe("leftover arguments", () => {
  test("both forms are taken, and a value may look like a number below zero", () => {
    expect(parseOverrides(["--resources.cloud", "local", "--a.b=c=d", "--n", "-1", "--e="])).toEqual([
      "resources.cloud=local",
      "a.b=c=d",
      "n=-1",
      "e=",
    ]);
    expect(parseOverrides([])).toEqual([]);
  });

  test.each([[["stray"]], [["-x", "1"]], [["--"]], [["--=x"]], [["--name"]], [["--name", "--run", "x"]]])(
    "%j is refused",
    argv => {
      expect(() => parseOverrides(argv)).toThrow(TaskFileError);
    },
  );

  test("all that is wrong is told", () => {
    expect(() => parseOverrides(["stray", "--a", "1", "--last"])).toThrow(
      "the command line has 2 problems:\n  stray: is not expected here; an override looks like --resources.cloud local\n  --last: has no value; write --last=value",
    );
  });
});

describe("overrides", () => {
  test("they stand over the file, and what they do not name stays", () => {
    expect(task("num_nodes=3", "name=7", "envs.B=on", "resources.use_spot=true")).toMatchObject({
      name: "7",
      nodes: 3,
      envs: { A: "x", B: "True" },
      resources: { spot: true, accelerators: { A100: 1 }, region: "us-east-1" },
      run: "echo",
    });
  });

  test("they fill what the file does not have", () => {
    expect(read("run: x\n", { overrides: ["resources.labels.team=vision"] }).draft.task.resources).toEqual({
      labels: { team: "vision" },
    });
  });

  test("null takes out, and nothing is left of it", () => {
    expect(task("setup=null", "envs.A=null", "resources.accelerators=")).toMatchObject({ envs: {} });
    expect(task("setup=null")).not.toHaveProperty("setup");
    expect(task("resources.accelerators=~").resources).not.toHaveProperty("accelerators");
    expect(task("envs.NOT_THERE=null", "timeout=null").envs).toEqual({ A: "x" });
  });

  test("a list is reached by either form of index", () => {
    expect(task("resources.ports[0]=90", "resources.ports.1=91").resources.ports).toEqual(["90", "91"]);
    expect(task("resources.ports[0]=null").resources.ports).toEqual(["81"]);
    expect(problems(file, { overrides: ["resources.ports[2]=1"] })).toEqual([
      { path: "resources.ports.2", message: "has no item 2: there are 2, counted from 0" },
    ]);
  });

  test("a key with dots is reached in brackets", () => {
    const { fileMounts } = read("file_mounts: { ~/.netrc: a }\n", { overrides: ["file_mounts[~/.netrc]=b"] }).draft;
    expect(fileMounts).toEqual([{ path: "~/.netrc", source: "b" }]);
  });

  test("values are YAML, scripts are text", () => {
    expect(task("resources.accelerators={L4: 2, T4: 1}").resources.accelerators).toEqual({ L4: 2, T4: 1 });
    expect(task("resources.ports=[1, 2-3]").resources.ports).toEqual(["1", "2-3"]);
    expect(task('envs.A="007"').envs).toEqual({ A: "007" });
    expect(task("envs.A=[ -f x").envs).toEqual({ A: "[ -f x" });
    expect(task("run=[ -f x ] && echo {a: b}").run).toBe("[ -f x ] && echo {a: b}");
    expect(task("run=true").run).toBe("true");
  });

  test.each([
    ["resources.cloud=Local", { provider: "local" }],
    ["resources.provider=local", { provider: "local" }],
    ["resources.region=us-west-2", { provider: "aws", region: "us-west-2" }],
    ["resources.zone=us-east-1b", { provider: "aws", region: "us-east-1", zone: "us-east-1b" }],
    ["resources.infra=gcp", { provider: "gcp" }],
  ])("%s takes the place of what the file says of it in another key", (override, wanted) => {
    const { provider, region, zone } = task(override).resources;
    expect({ provider, region, zone }).toEqual({ region: undefined, zone: undefined, ...wanted });
  });

  test("the file's own spelling is found", () => {
    const own = "nodes: 1\nenv: { A: 1 }\nresources: { provider: aws, gpus: T4, spot: true, image: x }\n";
    const overrides = [
      "num_nodes=2",
      "envs.A=2",
      "resources.cloud=gcp",
      "resources.accelerators=L4",
      "resources.use_spot=no",
    ];
    expect(read(own, { overrides }).draft.task).toMatchObject({
      nodes: 2,
      envs: { A: "2" },
      resources: { provider: "gcp", accelerators: { L4: 1 }, spot: false },
    });
  });

  test("an override stands over alternatives as well", () => {
    const text = `resources:
  accelerators: A100
  any_of:
    - { infra: aws/us-east-1, use_spot: true }
    - { cloud: gcp, gpus: H100, max_hourly: 3 }
`;
    const made = (...overrides: string[]) => read(text, { overrides }).draft.task.resources;
    expect(made("resources.cloud=local", "resources.accelerators=null")).toEqual({
      provider: "local",
      anyOf: [{ spot: true }, { maxHourly: 3 }],
    });
    expect(made("resources.region=eu-west-1", "resources.max_hourly_cost=1")).toEqual({
      region: "eu-west-1",
      accelerators: { A100: 1 },
      maxHourly: 1,
      anyOf: [
        { provider: "aws", spot: true },
        { provider: "gcp", accelerators: { H100: 1 } },
      ],
    });
    expect(made("resources.any_of[1].cloud=aws").anyOf).toMatchObject([{ region: "us-east-1" }, { provider: "aws" }]);
    expect(made("resources.any_of=null")).toEqual({ accelerators: { A100: 1 } });
  });

  test("one policy replaces the other", () => {
    expect(read("resources: { autostop: 5 }\n", { overrides: ["idle=never"] }).draft.idle).toBe("never");
    expect(read("idle: never\n", { overrides: ["resources.autostop.down=true"] }).draft.idle).toEqual({
      after: 5,
      action: "terminate",
      waitFor: "jobs_and_sessions",
    });
  });

  test("an unknown key is refused like one in the file, though it has no line", () => {
    expect(problems(file, { overrides: ["nosuch=null", "resources.acelerators=A100"] })).toEqual([
      { path: "nosuch", message: "is not a key that Muster knows" },
      {
        path: "resources.acelerators",
        message: "is not a key that Muster knows",
        suggestion: "did you mean 'accelerators'?",
      },
    ]);
    expect(problems("working_dir: .\nrun: x\n", { overrides: ["nosuch=1", "resources.cloud=local"] })).toEqual([
      { path: "nosuch", message: "is not a key of an Oumi job" },
    ]);
  });

  test.each(["run", "=x", "a..b=1", ".a=1", "a.=1", "a[=1", "a[]=1"])("%j is no override", override => {
    expect(problems(file, { overrides: [override] })).toMatchObject([
      { path: override, message: "is not an override" },
    ]);
  });

  test("text has nothing in it to override", () => {
    expect(problems(file, { overrides: ["name.first=x"] })).toMatchObject([{ path: "name.first" }]);
  });

  test.each([
    "__proto__.polluted=1",
    "resources.__proto__.polluted=1",
    "resources.constructor.prototype.polluted=1",
    "envs[__proto__]=1",
  ])("%s pollutes nothing", override => {
    expect(problems(file, { overrides: [override] })).toHaveLength(1);
    expect({}).not.toHaveProperty("polluted");
  });

  test("a wrong value is told without a line", () => {
    expect(problems(file, { overrides: ["num_nodes=many"] })).toEqual([
      { path: "num_nodes", message: "must be a whole number, and is text" },
    ]);
  });
});
