/** XT's config files, of our own writing, read into targets. Pure. */
import { readdirSync, readFileSync } from "node:fs";
import { read, sentence, TaskFileError } from "@muster/task/read.ts";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { problems } from "./support.ts";

/** fast-check's assert may give a promise; not for properties that give none. */
const verify: <T>(property: fc.IProperty<T>, parameters?: fc.Parameters<T>) => void = fc.assert;

const CORPUS = new URL("corpus/xt/", import.meta.url);
const load = (name: string): string => readFileSync(new URL(name, CORPUS), "utf8");
const told = (text: string): string[] => problems(text, { dialect: "xt" }).map(sentence);
const targets = (text: string) => read(text, { dialect: "xt" }).targets;

const SERVICES = `external-services:
  b: { type: batch, key: k, url: "https://b.example.com" }
  s: { type: storage, provider: azure-blob-21 }
`;
/** A config whose one target has these properties, in flow style. */
const config = (target: string, more = ""): string => `${SERVICES}compute-targets:\n  t: { ${target} }\n${more}`;
const one = (target: string, more = "") => targets(config(target, more))?.[0];

test.each(readdirSync(CORPUS))("%s is read", name => {
  const { dialect, targets = [], tasks } = read(load(name));
  expect({ dialect, tasks }).toEqual({ dialect: "xt", tasks: [] });
  expect(targets.length).toBeGreaterThan(1);
});

test("a target is its service's type, and what is asked of its machines", () => {
  const { targets, unsupported, warnings } = read(load("batch.yaml"));
  const machine = { provider: "batch", instanceType: "Standard_NC6" };
  expect(targets).toEqual([
    { name: "batch", resources: { ...machine, spot: false, image: "dsvm" }, nodes: 1 },
    { name: "batch-spot", resources: { ...machine, spot: true, image: "dsvm" }, nodes: 4 },
    { name: "batch-docker", resources: { ...machine, image: "docker:lab.azurecr.io/torch:1.2" }, nodes: 1 },
  ]);
  expect(unsupported.map(({ path }) => path)).toEqual([
    "external-services.labstorage.key",
    "external-services.labmongo.mongo-connection-string",
    "external-services.labbatch.key",
    "external-services.labregistry.password",
    "compute-targets.batch-docker.setup",
    "compute-targets.batch-docker.setup",
  ]);
  expect(unsupported[0]?.why).toContain("muster secrets set");
  expect(warnings.join("\n")).toMatch(/box-class[\s\S]*--target batch-spot[\s\S]*general, code, run-reports/);
});

test("a service type of one's own is a provider's name", () => {
  const { targets, unsupported, warnings } = read(load("own-provider.yaml"));
  expect(targets).toEqual([
    { name: "tide4x", resources: { provider: "tide", instanceType: "T4" }, nodes: 1 },
    { name: "tide16x", resources: { provider: "tide", instanceType: "T16" }, nodes: 2 },
  ]);
  expect(unsupported).toEqual([]);
  expect(warnings).toEqual([expect.stringContaining("must have a provider 'tide'")]);
});

test("boxes that are this machine are the local provider, and others are nobody's yet", () => {
  const { targets, unsupported } = read(load("local.yaml"));
  expect(targets?.map(({ name, resources }) => [name, resources.provider])).toEqual([
    ["here", "local"],
    ["desk", "byo"],
    ["cloud", "aml"],
  ]);
  expect(unsupported.map(({ path }) => path)).toEqual([
    "compute-targets.desk.boxes",
    "compute-targets.cloud.compute",
    "boxes.desk",
  ]);
});

test("one type of one's own makes no other type known", () => {
  const text =
    "external-services: { x: { type: tyde } }\ncompute-targets: { t: { service: x } }\nproviders: { compute: { tide: a.B } }\n";
  expect(told(text)).toEqual([
    "external-services.x.type (line 1): 'tyde' is no type of service that XT has; did you mean 'tide'?",
  ]);
});

test("values may be as XT takes them", () => {
  expect(one("service: b, low-pri: 'TRUE'")?.resources.spot).toBe(true);
  expect(one("service: b, low-pri: 'false'")?.resources.spot).toBe(false);
  expect(one("service: b, vm-size: null, nodes: null")).toEqual({ name: "t", resources: { provider: "batch" } });
  expect(one("service: b, sku: G1")?.resources.instanceType).toBe("G1");
  expect(
    one("service: b", "aml-options: { max-seconds: null }\nearly-stopping: { slack-factor: 0.5 }\n"),
  ).toBeDefined();
});

describe("what is wrong is told with a path and what to do", () => {
  test.each([
    ["service: c", "compute-targets.t.service (line 5): 'c' is not defined under external-services; did you mean 'b'?"],
    ["service: elsewhere", "compute-targets.t.service (line 5): 'elsewhere' is not defined under external-services"],
    ["service: s", "compute-targets.t.service (line 5): 's' is a service of the type 'storage', on which nothing runs"],
    ["vm-size: x", "compute-targets.t.service (line 5): is missing"],
    ["service: b, vmsize: x", "compute-targets.t.vmsize (line 5): is not a property of XT; did you mean 'vm-size'?"],
    [
      "service: b, vm-size: 4",
      "compute-targets.t.vm-size (line 5): must be text, and is the number 4; put it in quotes",
    ],
    ["service: b, nodes: '2'", "compute-targets.t.nodes (line 5): must be a whole number, and is text"],
    ["service: b, nodes: 0", "compute-targets.t.nodes (line 5): must be from 1 to 1024"],
    ["service: b, nodes: 1025", "compute-targets.t.nodes (line 5): must be from 1 to 1024"],
    ["service: b, low-pri: maybe", "compute-targets.t.low-pri (line 5): must be true or false, and is text"],
    ["service: b, low-pri: null", "compute-targets.t.low-pri (line 5): must be true or false, and is empty"],
    ["service: b, boxes: x", "compute-targets.t.boxes (line 5): must be a list of texts, and is text"],
    [
      "service: b, boxes: [1]",
      "compute-targets.t.boxes.0 (line 5): must be text, and is the number 1; put it in quotes",
    ],
    ["service: pool, boxes: [dsek]", "compute-targets.t.boxes.0 (line 5): 'dsek' is not defined under boxes"],
    [
      "service: b, vm-size: a, sku: b",
      "compute-targets.t.sku (line 5): says the same as compute-targets.t.vm-size: keep one of them",
    ],
    ["service: b, docker: d", "compute-targets.t.docker (line 5): 'd' is not defined under dockers"],
    [
      "service: b, vm-size: $username",
      "compute-targets.t.vm-size (line 5): has a value that XT fills in, and Muster does not; write the value itself",
    ],
  ])("a target of { %s }", (target, message) => {
    expect(told(config(target))).toEqual([message]);
  });

  test.each([
    ["provders: {}\n", "provders (line 6): is not a section of an XT config; did you mean 'providers'?"],
    [
      "providers: { comopute: { x: a.B } }\n",
      "providers.comopute (line 6): is not a kind of provider that XT has; did you mean 'compute'? XT's guide misspells it so",
    ],
    [
      "providers: { storge: {} }\n",
      "providers.storge (line 6): is not a kind of provider that XT has; did you mean 'storage'?",
    ],
    [
      "providers: { compute: { x: B } }\n",
      "providers.compute.x (line 6): must be a Python class, such as package.module.Class",
    ],
    ["general: { workspac: x }\n", "general.workspac (line 6): is not a property of XT; did you mean 'workspace'?"],
    ["general: { feedback: 1 }\n", "general.feedback (line 6): must be true or false, and is the number 1"],
    [
      "general: { authentication: atuo }\n",
      "general.authentication (line 6): must be one of auto, browser, device-code, and is \"atuo\"; did you mean 'auto'?",
    ],
    [
      "general: { authentication: null }\n",
      "general.authentication (line 6): must be one of auto, browser, device-code, and is empty",
    ],
    ["general: { env-vars: [] }\n", "general.env-vars (line 6): must be a map, and is a list"],
    ["general: 5\n", "general (line 6): must be a map, and is the number 5"],
    ["early-stopping: { slack-factor: much }\n", "early-stopping.slack-factor (line 6): must be a number, and is text"],
    ["commands: ls\n", "commands (line 6): must be a list of texts, and is text"],
    ["dockers: { d: { image: x } }\n", "dockers.d.registry (line 6): is missing"],
    ["boxes: { d: { address: localhost } }\n", "boxes.d.max-runs (line 6): is missing"],
    [
      "xt-services: { target: tt }\n",
      "xt-services.target (line 6): 'tt' is not defined under compute-targets or boxes; did you mean 't'?",
    ],
    ["code: { code-zip: !x fast }\n", "code.code-zip (line 6): tags such as !x are not read; leave the tag out"],
  ])("%j", (more, message) => {
    expect(told(config("service: b", more))).toEqual([message]);
  });

  test.each([
    ["x: { url: u }", "external-services.x.type (line 2): is missing; add `type: batch`, say"],
    [
      "x: { type: bacth }",
      "external-services.x.type (line 2): 'bacth' is no type of service that XT has; did you mean 'batch'?",
    ],
    [
      "x: { type: tide }",
      "external-services.x.type (line 2): 'tide' is no type of service that XT has; register one of your own under providers.compute",
    ],
    ["x: { type: 5 }", "external-services.x.type (line 2): must be text"],
    ["x: { type: batch, key: k }", "external-services.x.url (line 2): is missing"],
    [
      "x: { type: vault, url: u, uri: u }",
      "external-services.x.uri (line 2): is not a property of XT; did you mean 'url'?",
    ],
    ["x: 5", "external-services.x (line 2): must be a map, and is the number 5"],
    ["x: { type: batch, url: u, key: 12 }", "external-services.x.key (line 2): must be text; put it in quotes"],
  ])("a service of { %s }", (service, message) => {
    const text = `external-services:\n  ${service}\ncompute-targets: { t: { service: pool } }\n`;
    expect(told(text)).toEqual([message]);
  });

  test("a file of no targets, or of several documents", () => {
    expect(told(SERVICES)).toEqual(["is an XT config without compute-targets, and nothing else of one is taken over"]);
    expect(told("compute-targets: {}\n")).toEqual([
      "compute-targets (line 1): names no target, and nothing else of an XT config is taken over",
    ]);
    expect(told(`${config("service: b")}---\na: b\n`)).toEqual(["---: separates 2 documents, and an XT config is one"]);
    expect(told("compute-targets:\n  'a b': { service: pool }\n")).toEqual([
      "compute-targets.a b (line 2): use letters, digits, '.', '_' and '-', 63 at most, no sign at either end; write a-b",
    ]);
  });
});

test("a config without targets is known by its sections, and told for what it is", () => {
  for (const text of ["general: { workspace: w }\ninternal: { stack-trace: true }\ncode: {}\n", "after-files: {}\n"])
    expect(problems(text)).toEqual([
      { path: "", message: "is an XT config without compute-targets, and nothing else of one is taken over" },
    ]);
  expect(problems("general: { a: b }\nrun: x\n")).toMatchObject([{ path: "general" }]);
});

test("a setup that another file defines cannot be done for that target", () => {
  const { targets, unsupported } = read(config("service: b, setup: s"));
  expect(targets).toMatchObject([{ name: "t" }]);
  expect(unsupported).toContainEqual({
    path: "compute-targets.t.setup",
    why: expect.stringContaining("'s' is defined in another of XT's files"),
  });
});

test("no credential of a service comes out, whatever is wrong beside it", () => {
  const SECRET = "hunter2-s3cr3t";
  const service = (key: string): string =>
    `external-services:\n  b: { type: batch, url: u, key: ${key} }\n  m: { type: mongo, mongo-connection-string: "x:${SECRET}@y" }\n  r: { type: registry, login-server: l, username: "${SECRET}", password: ${key} }\n  o: { type: own, account: "${SECRET}", other: [${key}] }\n`;
  const rest = [
    "compute-targets: { t: { service: b } }\nproviders: { compute: { own: a.B } }\n",
    "compute-targets: { t: { servce: b } }\n",
  ];
  for (const key of [`"${SECRET}"`, `{ x: "${SECRET}" }`, "271828182845904", `"$vault-${SECRET}"`, `!x "${SECRET}"`])
    for (const more of rest) {
      const text = service(key) + more;
      const said = JSON.stringify([problems(text), problems(text).length === 0 && read(text)]);
      expect(said).not.toContain(SECRET);
      expect(said).not.toContain("271828182845904");
    }
});

test("nor does a slip of one character bring one out", () => {
  const SECRET = "hunter2s3cr3t";
  const text = `external-services:
  b: { type: batch, key: "${SECRET}", url: u }
  c: { type: vault, url: ${SECRET} }
compute-targets: { t: { service: b } }
`;
  const signs = [..."\"':{}[]*&!|>\n\t@`%,-#\\", "? ", "!x ", "\\U", ""];
  // Where the value is anybody's, as a service's url or name is, there is nothing to keep.
  const end = text.indexOf("  c:");
  for (let at = 0; at < end; at++)
    for (const changed of signs.flatMap(sign => [0, 1].map(cut => text.slice(0, at) + sign + text.slice(at + cut))))
      expect(JSON.stringify(problems(changed))).not.toContain(SECRET);
});

test("no tree of its keys makes anything but a TaskFileError", () => {
  const word = fc.constantFrom(
    ..."external-services compute-targets providers compute setups dockers boxes xt-services target service type batch own pool url key vm-size nodes low-pri docker setup image registry pip-packages general authentication b t $vault __proto__ constructor".split(
      " ",
    ),
  );
  const { tree } = fc.letrec(tie => ({
    tree: fc.oneof(
      { depthSize: "small" },
      fc.oneof(word, fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
      fc.dictionary(word, tie("tree"), { maxKeys: 5 }),
      fc.array(tie("tree"), { maxLength: 3 }),
    ),
  }));
  const sections = fc.record(
    { "external-services": tree, "compute-targets": tree, providers: tree, setups: tree, boxes: tree },
    { requiredKeys: [] },
  );
  const sound = { b: { type: "batch", url: "u", key: "k" } };
  const property = fc.property(sections, fc.boolean(), (value, isSound) => {
    const text = JSON.stringify(isSound ? { ...value, "external-services": sound } : value);
    try {
      expect(read(text, { dialect: "xt" }).targets).toBeDefined();
    } catch (error) {
      expect(error).toBeInstanceOf(TaskFileError);
    }
  });
  verify(property, { numRuns: 1000 });
});
