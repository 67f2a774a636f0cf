/** Flambé's cluster files, of our own writing, read into clusters. Pure. */
import { readdirSync, readFileSync } from "node:fs";
import { Groups } from "@muster/core/cluster/group.ts";
import { read, TaskFileError } from "@muster/task/read.ts";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { aws, cluster, lines } from "./flambe-support.ts";
import { problems } from "./support.ts";

/** fast-check's assert may give a promise; not for properties that give none. */
const verify: <T>(property: fc.IProperty<T>, parameters?: fc.Parameters<T>) => void = fc.assert;

const CORPUS = new URL("corpus/flambe/", import.meta.url);
const load = (name: string): string => readFileSync(new URL(name, CORPUS), "utf8");

test.each(readdirSync(CORPUS))("%s is read", name => {
  const { dialect, clusters, tasks } = read(load(name));
  expect({ dialect, tasks }).toEqual({ dialect: "flambe", tasks: [] });
  expect(clusters).toHaveLength(1);
  expect(Groups.safeParse(clusters?.[0]?.groups).error).toBeUndefined();
});

test("every key of an !AWSCluster has its place", () => {
  const { clusters, warnings, unsupported } = read(load("everything.yaml"));
  const shared = {
    provider: "aws",
    region: "eu-west-1",
    subnet: "subnet-0123456789abcdef0",
    securityGroups: ["sg-0123456789abcdef0"],
    tenancy: "dedicated",
    diskSize: 250,
    diskTier: "high",
    labels: { team: "language" },
  };
  expect(clusters).toEqual([
    {
      name: "translation",
      groups: [
        {
          name: "orchestrator",
          nodes: 1,
          schedulable: false,
          resources: { ...shared, instanceType: "m5.large", image: "ami-0123456789abcdef0" },
        },
        {
          name: "factories",
          nodes: 2,
          schedulable: true,
          resources: { ...shared, instanceType: "p3.2xlarge", image: "ami-0fedcba9876543210" },
        },
      ],
      idle: { after: 120, cpuBelow: 0.005, action: "stop", then: { after: 1320, action: "terminate" } },
    },
  ]);
  expect(unsupported).toEqual([{ path: "setup_cmds", why: expect.stringContaining("setup of the tasks") }]);
  expect(warnings.join("\n")).toMatch(
    /volume_type: instead of io1.*8,000[\s\S]*key_name, key, username:[\s\S]*creator:/,
  );
});

test("two documents that are clusters are two, also after extensions", () => {
  const text = `${aws({ name: "one", setup_cmds: "[ls]" })}---\n${aws({ name: "two", factories_num: "3" })}`;
  const { clusters, unsupported } = read(text);
  expect(clusters?.map(({ name, groups }) => [name, groups[1]?.nodes])).toEqual([
    ["one", 2],
    ["two", 3],
  ]);
  expect(unsupported.map(({ path }) => path)).toEqual(["document 1: setup_cmds"]);
  const extended = read(`mine: ./mine\n---\n${text}`);
  expect(extended.clusters).toEqual(clusters);
  expect(extended.unsupported.map(({ path }) => path)).toEqual(["mine", "document 2: setup_cmds"]);
});

test("an override is said of every cluster of the file, and of no extension", () => {
  const text = `mine: ./mine\n---\n${aws({ name: "one" })}---\n${aws({ name: "two" })}`;
  const { clusters, unsupported } = read(text, { overrides: ["factories_num=7"] });
  expect(clusters?.map(({ groups }) => groups[1]?.nodes)).toEqual([7, 7]);
  expect(unsupported.map(({ path }) => path)).toEqual(["mine"]);
  expect(problems(text, { overrides: ["factories_num"] })).toHaveLength(1);
});

test("what is left out has Flambé's defaults", () => {
  const made = cluster(aws());
  expect(made?.groups.map(({ resources }) => resources.diskSize)).toEqual([100, 100]);
  expect(made?.idle).toEqual({ after: 60, cpuBelow: 0.005, action: "stop" });
  expect(made?.groups[0]?.resources).not.toHaveProperty("region");
  expect(made?.groups[0]?.resources).not.toHaveProperty("tenancy");
  expect(cluster(aws({ volume_size: "100." }))?.groups[0]?.resources.diskSize).toBe(100);
  expect(cluster(aws({ volume_type: "gp2" }))?.groups[0]?.resources).not.toHaveProperty("diskTier");
  expect(cluster(aws({ dedicated: "false" }))?.groups[0]?.resources).not.toHaveProperty("tenancy");
});

test.each([
  [-1, -1, "never"],
  [-1, 5, { after: 300, action: "stop" }],
  [-1, 0, { after: 0, action: "stop" }],
  [24, 2, { after: 120, action: "stop", then: { after: 1320, action: "terminate" } }],
  [3, 0, { after: 0, action: "stop", then: { after: 180, action: "terminate" } }],
  [4, 4, { after: 240, action: "terminate" }],
  [0, 0, { after: 0, action: "terminate" }],
])("orchestrator %d hours, factories %d hours of little CPU", (orchestrator, factories, idle) => {
  const text = aws({ orchestrator_timeout: String(orchestrator), factories_timeout: String(factories) });
  expect(cluster(text)?.idle).toEqual(typeof idle === "object" ? { ...idle, cpuBelow: 0.005 } : idle);
  const told = read(text).warnings.filter(warning => warning.startsWith("factories_timeout: the whole cluster"));
  const verb = typeof idle === "object" && (idle.action === "stop" ? "stops" : "ends");
  expect(told).toEqual(
    verb ? [expect.stringMatching(`cluster ${verb} after .* less than 0.5% of every host's CPUs`)] : [],
  );
});

test("hosts of one's own are read, and cannot be had yet", () => {
  const { clusters, unsupported } = read(load("own-hosts.yaml"));
  expect(clusters?.[0]?.groups.map(({ name, nodes }) => [name, nodes])).toEqual([
    ["orchestrator", 1],
    ["factories", 2],
  ]);
  expect(unsupported).toEqual([{ path: "!SSHCluster", why: expect.stringContaining("hosts of your own") }]);
});

test("extensions are told one by one", () => {
  const { clusters, unsupported } = read(load("extensions.yaml"));
  expect(clusters?.[0]?.name).toBe("with-extensions");
  expect(unsupported.map(({ path }) => path)).toEqual(["my_models", "tokenizers_plus"]);
});

test("no tree of its keys makes anything but a TaskFileError", () => {
  const key = fc.constantFrom(
    ...Object.keys(lines),
    ..."volume_type volume_size tags dedicated factories_timeout orchestrator_timeout setup_cmds orchestrator_ip factories_ips use_public __proto__ constructor".split(
      " ",
    ),
  );
  const leaf = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom("a b", -1, 0, 1e9),
  );
  const value = fc.oneof(
    leaf,
    fc.array(leaf, { maxLength: 3 }),
    fc.dictionary(fc.oneof(key, fc.string()), leaf, { maxKeys: 3 }),
  );
  const tag = fc.constantFrom("!AWSCluster", "!SSHCluster", "!Experiment", "!x");
  const property = fc.property(tag, fc.dictionary(key, value), (tag, map) => {
    try {
      expect(read(`${tag}\n${JSON.stringify({ ...lines, factories_num: 1, ...map })}`).dialect).toBe("flambe");
    } catch (error) {
      expect(error).toBeInstanceOf(TaskFileError);
    }
  });
  verify(property, { numRuns: 500 });
});
