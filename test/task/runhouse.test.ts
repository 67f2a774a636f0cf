/** Runhouse's clusters as JSON, of our own writing, read into clusters. Pure. */
import { readdirSync, readFileSync } from "node:fs";
import { Groups } from "@muster/core/cluster/group.ts";
import { read, TaskFileError } from "@muster/task/read.ts";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clusters, given, machine, told, warnings } from "./runhouse-support.ts";
import { problems } from "./support.ts";

/** fast-check's assert may give a promise; not for properties that give none. */
const verify: <T>(property: fc.IProperty<T>, parameters?: fc.Parameters<T>) => void = fc.assert;

const CORPUS = new URL("corpus/runhouse/", import.meta.url);
const load = (name: string): string => readFileSync(new URL(name, CORPUS), "utf8");

test.each(readdirSync(CORPUS))("%s is read, and found to be Runhouse's", name => {
  for (const { dialect, clusters = [] } of [read(load(name)), read(load(name), given)]) {
    expect(dialect).toBe("runhouse");
    expect(clusters.length).toBeGreaterThan(0);
    for (const { groups } of clusters) expect(Groups.safeParse(groups).error).toBeUndefined();
  }
});

test("every argument has its place", () => {
  const { clusters, unsupported } = read(load("on-demand.json"));
  expect(unsupported).toEqual([]);
  expect(clusters).toEqual([
    {
      name: "rh-a10s",
      groups: [
        {
          name: "main",
          nodes: 2,
          schedulable: true,
          resources: {
            provider: "aws",
            accelerators: { A10G: 4 },
            spot: true,
            image: "ami-0123456789abcdef0",
            region: "us-east-1",
            memory: { gib: 64, atLeast: true },
            diskSize: 200,
            ports: ["8080", "9000-9010"],
          },
        },
      ],
      idle: { after: 45, action: "terminate" },
    },
  ]);
});

test.each([
  ["A100:4", { accelerators: { A100: 4 } }],
  ["CPU:8", { cpus: { count: 8, atLeast: false } }],
  ["cpu:2+", { cpus: { count: 2, atLeast: true } }],
  ["g5.2xlarge", { instanceType: "g5.2xlarge" }],
])("instance_type %s", (type, wanted) => {
  expect(machine({ instance_type: type })).toEqual(wanted);
});

test("a preset of Runhouse's is the machines that it stands for", () => {
  expect(clusters({ name: "^rh-4-v100" })).toMatchObject([
    { name: "rh-4-v100", groups: [{ resources: { accelerators: { V100: 4 } } }] },
  ]);
  expect(clusters({ name: "^rh-cpu", instance_type: "CPU:8" })[0]?.groups[0]?.resources.cpus?.count).toBe(8);
  expect(told({ name: "^rh-9-cpu" })).toEqual([expect.stringContaining("says nothing of its machines")]);
});

test.each([
  [undefined, undefined],
  [null, undefined],
  [-1, "never"],
  [0, { after: 0, action: "terminate" }],
  [30, { after: 30, action: "terminate" }],
])("autostop_mins %s", (autostop_mins, idle) => {
  expect(clusters({ name: "c", instance_type: "CPU:2", autostop_mins })[0]?.idle).toEqual(idle);
});

test.each([
  [null, undefined],
  ["", undefined],
  ["cheapest", undefined],
  ["AWS", "aws"],
  ["gcp", "gcp"],
])("provider %s", (provider, wanted) => {
  expect(machine({ instance_type: "CPU:2", provider })?.provider).toBe(wanted);
});

test("how many machines there are is heeded, and that is said where Runhouse heeds it not", () => {
  const many = { name: "c", instance_type: "A100:1", num_instances: 3 };
  expect(clusters(many)[0]?.groups[0]?.nodes).toBe(3);
  expect(warnings(many)).toContain("num_instances: counts here");
  expect(warnings({ ...many, instance_type: "g5.xlarge" })).toBe("");
  expect(clusters({ name: "c", gpus: "A100:1", num_nodes: 4 })[0]?.groups[0]?.nodes).toBe(4);
});

describe("which kind of cluster it is", () => {
  const providers = (value: object) => clusters({ name: "c", ...value })[0]?.groups[0]?.resources.provider;
  test.each([
    [{ host: "10.0.0.1" }, "byo"],
    [{ ips: ["10.0.0.1"] }, "byo"],
    [{ ssh_creds: { ssh_user: "u" } }, "byo"],
    [{ host: "10.0.0.1", autostop_mins: 5 }, "byo"],
    [{ instance_type: "CPU:2" }, undefined],
    [{ memory: "16+" }, undefined],
    [{ instance_type: "CPU:2", host: "10.0.0.1" }, undefined],
    [{ role: "r" }, "sagemaker"],
    [{ estimator: { entry_point: "x.py" } }, "sagemaker"],
    [{ instance_count: 2 }, "sagemaker"],
    [{ autostop_mins: 5 }, "sagemaker"],
    [{ instance_type: "ml.m5.large" }, "sagemaker"],
    [{ resource_subtype: "Cluster", host: "h" }, "byo"],
    [{ resource_subtype: "OnDemandCluster", ips: ["h"], autostop_mins: 5 }, undefined],
    [{ resource_subtype: "SageMakerCluster" }, "sagemaker"],
  ])("%j", (value, wanted) => {
    expect(providers(value)).toBe(wanted);
    const { unsupported } = read(JSON.stringify({ name: "c", ...value }), given);
    expect(unsupported.length).toBe(wanted === undefined ? 0 : 1);
  });

  test("SageMaker's has Runhouse's default machine", () => {
    expect(machine({ role: "r" })).toEqual({ provider: "sagemaker", instanceType: "ml.m5.large" });
  });

  test("of own hosts each is one node", () => {
    expect(clusters({ name: "c", host: ["a", "b", "c"] })[0]?.groups[0]?.nodes).toBe(3);
    expect(warnings({ name: "c", ips: ["a"] })).toBe("ips: Runhouse calls this 'host' now");
  });
});

test("what a saved config says of a cluster that was made is left out, in a few words", () => {
  const { clusters, warnings } = read(load("saved.json"));
  expect(clusters?.[0]).toMatchObject({ name: "nightly", idle: "never" });
  expect(warnings).toEqual([
    "name: of \"~/nightly\", the name here is 'nightly'",
    "server_port, server_connection_type: Runhouse's own server does not run on Muster's hosts",
    "sky_state: is the state of a cluster that Runhouse has made; Muster makes one of its own",
    "ips: instance_type makes it a cluster of a cloud, and these hosts are not used",
  ]);
  expect(read(JSON.stringify({ name: "@/x", instance_type: "CPU:1" }), given).clusters?.[0]?.name).toBe("x");
});

describe("what is wrong is told with a path and what to do", () => {
  const base = { name: "c", instance_type: "CPU:2" };
  test.each<[object, string]>([
    [{ name: undefined }, "name (line 1): is missing, and every cluster of Runhouse's has one"],
    [{ name: "s3" }, "name (line 1): 's3' is a name that Runhouse keeps for itself"],
    [{ name: "^ssh" }, "name (line 1): 'ssh' is a name that Runhouse keeps for itself"],
    [
      { name: "a b" },
      "name (line 1): use letters, digits, '.', '_' and '-', 63 at most, no sign at either end; write a-b",
    ],
    [{ num_instance: 2 }, "num_instance (line 1): is not a key that Muster knows; did you mean 'num_instances'?"],
    [{ num_instances: 0 }, "num_instances (line 1): must be at least 1"],
    [{ num_instances: "2" }, "num_instances (line 1): must be a whole number, and is text"],
    [{ num_instances: 2, num_nodes: 2 }, "num_nodes (line 1): says the same as num_instances: keep one of them"],
    [{ instance_type: "CPU:many" }, 'instance_type (line 1): must be a count such as 4 or "4+", and is "many"'],
    [
      { instance_type: "A100:4:1" },
      'instance_type (line 1): "A100:4:1" is not an accelerator; write it such as A100 or A100:4',
    ],
    [{ instance_type: " " }, "instance_type (line 1): is empty; leave the key out"],
    [{ instance_type: 8 }, 'instance_type (line 1): must be text, and is the number 8; put it in quotes: "8"'],
    [{ instance_type: "A100:1", gpus: "L4:1" }, "gpus (line 1): says the same as instance_type: keep one of them"],
    [{ provider: "kubernetes" }, "provider (line 1): clusters on Kubernetes cannot be made"],
    [
      { provider: "awz" },
      "provider (line 1): must be one of aws, gcp, azure, lambda or cheapest, and is \"awz\"; did you mean 'aws'?",
    ],
    [{ autostop_mins: -2 }, "autostop_mins (line 1): must be minutes, a year at most, or -1 for never"],
    [{ autostop_mins: 600_000 }, "autostop_mins (line 1): must be minutes, a year at most, or -1 for never"],
    [{ autostop_mins: 1.5 }, "autostop_mins (line 1): must be a whole number, and is the number 1.5"],
    [{ use_spot: "yes" }, "use_spot (line 1): must be true or false, and is text"],
    [
      { open_ports: [70_000] },
      'open_ports.0 (line 1): must be a port or a range, such as 8080 or "8000-8010", from 1 to 65535, and is "70000"',
    ],
    [{ launcher: "locl" }, "launcher (line 1): must be one of local, den, and is \"locl\"; did you mean 'local'?"],
    [
      { resource_type: "function" },
      "resource_type (line 1): must be cluster: Muster reads nothing else of Runhouse's, and this is a function",
    ],
    [
      { resource_subtype: "OnDemand" },
      'resource_subtype (line 1): must be one of Cluster, OnDemandCluster, SageMakerCluster, and is "OnDemand"',
    ],
    [
      { instance_type: undefined },
      '(line 1): names a cluster that Runhouse has saved, and says nothing of its machines; add an instance_type, such as "A100:4" or "CPU:2+"',
    ],
    [
      { instance_type: undefined, instnce_type: "x" },
      "instnce_type (line 1): is not a key that Muster knows; did you mean 'instance_type'?",
    ],
    [{ instance_type: undefined, host: "a b" }, "host (line 1): is not the address of a host"],
    [{ instance_type: undefined, host: [] }, "host (line 1): has no address in it"],
    [{ instance_type: undefined, host: "a", ips: ["a"] }, "ips (line 1): says the same as host: keep one of them"],
    [
      { instance_type: undefined, host: "a", ssh_creds: { ssh_usr: "u" } },
      "ssh_creds.ssh_usr (line 1): is not a key that Runhouse knows; did you mean 'ssh_user'?",
    ],
    [
      { instance_type: undefined, host: "a", ssh_creds: 5 },
      "ssh_creds (line 1): must be a map, or the name of a secret of Runhouse's",
    ],
    [{ instance_type: undefined, host: "a", ssh_creds: { password: 5 } }, "ssh_creds.password (line 1): must be text"],
    [{ instance_type: undefined, role: 5 }, 'role (line 1): must be text, and is the number 5; put it in quotes: "5"'],
  ])("%j", (changes, message) => {
    expect(told({ ...base, ...changes })).toEqual([message]);
  });

  test("of a list each is told by its number", () => {
    expect(told([base, { ...base, use_spot: 1 }])).toEqual([
      "[1].use_spot (line 1): must be true or false, and is the number 1",
    ]);
    expect(told([])).toEqual(["(line 1): has no cluster in it"]);
    expect(told([5])).toEqual(["[0] (line 1): must be a map, and is the number 5"]);
    expect(told("x")).toEqual(["(line 1): must be a map, and is text"]);
  });
});

test("no credential comes out, whatever is wrong beside it", () => {
  const SECRET = "hunter2-s3cr3t";
  for (const password of [SECRET, [SECRET], { x: SECRET }, 271_828_182_845_904])
    for (const more of [
      {},
      { instance_type: "CPU:2" },
      { hots: "x" },
      { resource_subtype: "Cluster" },
      { role: "r" },
    ]) {
      const creds = { ssh_user: SECRET, ssh_private_key: SECRET, password, ssh_proxy_command: SECRET };
      const text = JSON.stringify({
        name: "c",
        host: "h",
        ssh_creds: creds,
        sky_state: { token: SECRET },
        creds: SECRET,
        ...more,
      });
      for (const cut of [text, text.slice(0, -1), text.replace(/"$/, ""), text.replace(":", " ")]) {
        const issues = problems(cut, given);
        const said = JSON.stringify([issues, issues.length === 0 && read(cut, given)]);
        expect(said).not.toContain(SECRET);
        expect(said).not.toContain("271828182845904");
      }
    }
});

test("no tree of its keys makes anything but a TaskFileError", () => {
  const key = fc.constantFrom(
    ..."name host ips ssh_creds instance_type num_instances num_nodes provider autostop_mins use_spot image_id region memory disk_size open_ports gpus cpus launcher dryrun role estimator instance_count resource_type resource_subtype sky_state image constructor toString".split(
      " ",
    ),
  );
  const leaf = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom("A100:4", "CPU:2+", "Cluster", "constructor", "__proto__"),
  );
  const value = fc.oneof(leaf, fc.array(leaf, { maxLength: 3 }), fc.dictionary(key, leaf, { maxKeys: 3 }));
  const property = fc.property(fc.dictionary(key, value), map => {
    try {
      expect(clusters({ name: "c", ...map })).toHaveLength(1);
    } catch (error) {
      expect(error).toBeInstanceOf(TaskFileError);
    }
  });
  verify(property, { numRuns: 1000 });
});
