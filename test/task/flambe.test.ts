/** Flambé's cluster files, of our own writing, read into clusters. Pure. */
import { readdirSync, readFileSync } from "node:fs";
import { Groups } from "@muster/core/cluster/group.ts";
import { read, sentence, TaskFileError } from "@muster/task/read.ts";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { problems } from "./support.ts";

/** fast-check's assert may give a promise; not for properties that give none. */
const verify: <T>(property: fc.IProperty<T>, parameters?: fc.Parameters<T>) => void = fc.assert;

const CORPUS = new URL("corpus/flambe/", import.meta.url);
const load = (name: string): string => readFileSync(new URL(name, CORPUS), "utf8");

const lines: Readonly<Record<string, string>> = {
  name: "demo",
  factories_num: "2",
  factories_type: "g5.xlarge",
  orchestrator_type: "t3.large",
  key_name: "k",
  security_group: "sg-1",
  subnet_id: "subnet-1",
  creator: "ana",
  key: "~/.ssh/k",
};

/** A sound cluster with some of its lines changed; undefined takes one out. */
function aws(changes: Readonly<Record<string, string | undefined>> = {}): string {
  const all = Object.entries({ ...lines, ...changes }).filter(([, value]) => value !== undefined);
  return `!AWSCluster\n${all.map(([key, value]) => `${key}: ${value}\n`).join("")}`;
}

const ssh = (changes: Readonly<Record<string, string>> = {}): string =>
  `!SSHCluster\n${Object.entries({
    name: "lab",
    orchestrator_ip: "10.0.0.1",
    factories_ips: "[10.0.0.2]",
    key: "k",
    username: "u",
    ...changes,
  })
    .map(([key, value]) => `${key}: ${value}\n`)
    .join("")}`;

const told = (text: string): string[] => problems(text).map(sentence);
const cluster = (text: string) => read(text).clusters?.[0];

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
      idle: { after: 120, action: "stop", then: { after: 1320, action: "terminate" } },
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
  expect(made?.idle).toEqual({ after: 60, action: "stop" });
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
])("orchestrator %d hours, factories %d hours", (orchestrator, factories, idle) => {
  const text = aws({ orchestrator_timeout: String(orchestrator), factories_timeout: String(factories) });
  expect(cluster(text)?.idle).toEqual(idle);
  const explained = read(text).warnings.some(warning =>
    warning.startsWith("factories_timeout: the whole cluster stops"),
  );
  expect(explained).toBe(typeof idle === "object" && idle.action === "stop");
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

describe("what is wrong is told with a path and what to do", () => {
  test.each(Object.keys(lines))("%s is missing", key => {
    expect(told(aws({ [key]: undefined }))).toEqual([`${key} (line 2): is missing, and a Flambé cluster must have it`]);
    expect(told(aws({ [key]: "null" }))).toHaveLength(1);
  });

  test.each<[string, Readonly<Record<string, string>>, string]>([
    [
      "no name of Muster's",
      { name: "my cluster!" },
      "name (line 2): use letters, digits, '.', '_' and '-', 63 at most, no sign at either end; write my-cluster",
    ],
    [
      "a misspelled key",
      { factories_nun: "2" },
      "factories_nun (line 11): is not a key that Muster knows; did you mean 'factories_num'?",
    ],
    ["no factory", { factories_num: "0" }, "factories_num (line 3): must be at least 1: jobs run on factories only"],
    [
      "half a factory",
      { factories_num: "1.5" },
      "factories_num (line 3): must be a whole number, and is the number 1.5",
    ],
    [
      "too many factories",
      { factories_num: "1024" },
      "factories_num (line 3): a cluster has at most 1024 hosts; these groups have 1025",
    ],
    [
      "a number for a type",
      { factories_type: "5" },
      'factories_type (line 4): must be text, and is the number 5; put it in quotes: "5"',
    ],
    ["an empty type", { orchestrator_type: '""' }, "orchestrator_type (line 5): is empty"],
    ["a drive that is none", { volume_type: "gp3" }, 'volume_type (line 11): must be gp2 or io1, and is "gp3"'],
    [
      "half a gigabyte",
      { volume_size: "100.5" },
      "volume_size (line 11): must be a whole number, and is the number 100.5",
    ],
    ["no gigabyte", { volume_size: "0" }, "volume_size (line 11): must be GB, at least 1"],
    [
      "a tag of Muster's",
      { tags: "{Creator: me}" },
      "tags.Creator (line 11): is a tag that Muster sets itself; choose another name for it",
    ],
    [
      "a tag of Muster's prefix",
      { tags: "{'muster:cluster': me}" },
      "tags.muster:cluster (line 11): is a tag that Muster sets itself; choose another name for it",
    ],
    ["a tag with nothing in it", { tags: "{a: }" }, "tags.a (line 11): must be text, and is empty"],
    [
      "a time before now",
      { factories_timeout: "-2" },
      "factories_timeout (line 11): must be hours, 0 for as soon as it is idle, or -1 for never",
    ],
    [
      "factories for ever",
      { orchestrator_timeout: "3", factories_timeout: "-1" },
      "factories_timeout (line 12): is longer than orchestrator_timeout, and factories cannot outlive their orchestrator; write 3 or less",
    ],
    [
      "factories for longer",
      { orchestrator_timeout: "3", factories_timeout: "4" },
      "factories_timeout (line 12): is longer than orchestrator_timeout, and factories cannot outlive their orchestrator; write 3 or less",
    ],
    [
      "more than a year",
      { factories_timeout: "9000" },
      "factories_timeout (line 11): must be 8760 hours, a year, at most",
    ],
    ["a word for a flag", { dedicated: "maybe" }, "dedicated (line 11): must be true or false, and is text"],
    ["one command", { setup_cmds: "ls" }, "setup_cmds (line 11): must be a list of commands, and is text"],
    [
      "a command that is none",
      { setup_cmds: "[ls, 5]" },
      'setup_cmds.1 (line 11): must be text, and is the number 5; put it in quotes: "5"',
    ],
    ["a tag within", { tags: "!dict {a: b}" }, "tags (line 11): tags such as !dict are not read; leave the tag out"],
    ["a long id", { subnet_id: "s".repeat(70) }, "subnet_id (line 8): must be 63 characters at most"],
  ])("%s", (_, changes, message) => {
    expect([...new Set(told(aws(changes)))]).toEqual([message]);
  });

  test("a key with a slip in it is not missing as well", () => {
    const slips = told("!AWSCluster\nfactory_type: g3.4xlarge\n").filter(text => text.includes("factor"));
    expect(slips).toEqual([
      "factory_type (line 2): is not a key that Muster knows; did you mean 'factories_type'?",
      "factories_num (line 2): is missing, and a Flambé cluster must have it",
    ]);
  });

  test("everything at once", () => {
    expect(told("!AWSCluster\nname: a\nfactory_num: 2\n")).toHaveLength(8);
  });

  test.each<[string, Readonly<Record<string, string>>, string]>([
    [
      "no addresses",
      { factories_ips: "[]" },
      "factories_ips (line 4): has no address in it: jobs run on factories only",
    ],
    ["one address", { factories_ips: "10.0.0.2" }, "factories_ips (line 4): must be a list of addresses, and is text"],
    [
      "three addresses of one host",
      { orchestrator_ip: "[a, b, c]" },
      "orchestrator_ip (line 3): must be an address, or a list of the public and the private one, and is a list of 3",
    ],
    ["what is no address", { orchestrator_ip: "'a b'" }, "orchestrator_ip (line 3): is not the address of a host"],
    [
      "a misspelled key",
      { use_pubic: "true" },
      "use_pubic (line 7): is not a key that Muster knows; did you mean 'use_public'?",
    ],
  ])("of own hosts: %s", (_, changes, message) => {
    expect(told(ssh(changes))).toEqual([message]);
  });

  test.each([
    [
      "!Experiment\nname: x\n",
      "(line 1): is a Flambé experiment, and Muster reads Flambé's clusters only; run it with a task of your own: its file in workdir, and `flambe` with its name in run",
    ],
    [
      "!Builder\nname: x\n",
      "(line 1): is a !Builder of Flambé's, and Muster reads Flambé's clusters only; run it with a task of your own: its file in workdir, and `flambe` with its name in run",
    ],
    ["!AWSCLuster\nname: x\n", "(line 1): !AWSCLuster is no cluster of Flambé's; did you mean '!AWSCluster'?"],
    ["!AWSCluster\n- x\n", "(line 1): must be a map, and is a list"],
    [
      `a: b\n---\nc: d\n---\n${aws()}`,
      "document 2 (line 1): has no tag, and a Flambé cluster has one; begin it with !AWSCluster or !SSHCluster",
    ],
    [`a: 5\n---\n${aws()}`, 'a (line 1): must be text, and is the number 5; put it in quotes: "5"'],
  ])("%j", (text, message) => {
    expect(told(text).map(line => line.replace(/\(line [23]\)/, "(line 1)"))).toEqual([message]);
  });

  test("of one cluster of several, with its document", () => {
    expect(told(`${aws()}---\n${aws({ volume_size: "x" })}`)).toEqual([
      expect.stringMatching(/^document 2: volume_size \(line \d+\): /),
    ]);
  });

  test("a file without a tag is asked for one", () => {
    const issues = problems("name: x\n", { dialect: "flambe" }).map(sentence);
    expect(issues).toEqual([
      "(line 1): has no tag, and a Flambé cluster has one; begin it with !AWSCluster or !SSHCluster",
    ]);
  });
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
