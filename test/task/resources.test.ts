import { describe, expect, test } from "vitest";
import { problems, read, resources } from "./support.ts";

describe("amounts", () => {
  test.each([
    ["A100", { A100: 1 }],
    ["A100:8", { A100: 8 }],
    ["H100-80GB:0.5", { "H100-80GB": 0.5 }],
    ["{A100: 4}", { A100: 4 }],
    ["{L4:1, A100:2, T4}", { L4: 1, A100: 2, T4: 1 }],
    ["[V100:2]", { V100: 2 }],
    ["[T4: 2]", { T4: 2 }],
    ["[{ V100: null }]", { V100: 1 }],
  ])("accelerators %s", (text, wanted) => {
    expect(resources(`{ accelerators: ${text} }`).accelerators).toEqual(wanted);
  });

  test.each([
    "'A100:'",
    "A100:0",
    "A100:four",
    "A100:1:2",
    "8",
    "'{A100, L4}'",
    "{A100:1: 2}",
    "{A100: many}",
    "[3, [x]]",
    "true",
    "[]",
  ])("accelerators %s are refused", text => {
    const found = problems(`resources:\n  accelerators: ${text}\n`);
    expect(found).not.toEqual([]);
    for (const issue of found)
      expect(issue).toMatchObject({ path: expect.stringMatching(/^resources\.accelerators/), line: 2 });
  });

  test("items of a list may be maps, and stay in order", () => {
    expect(resources("{ accelerators: [{ T4: 1 }, V100:2, { A100: }] }")).toEqual({
      ordered: [{ accelerators: { T4: 1 } }, { accelerators: { V100: 2 } }, { accelerators: { A100: 1 } }],
    });
    expect(problems("resources: { accelerators: [{ T4: many }] }\n")).toMatchObject([
      { path: "resources.accelerators.0.T4", message: "must be a count, and is text" },
    ]);
  });

  test.each(["8xA100", "'8xA100:4'", "8 x A100"])("a count before the name (%s) is told where it goes", text => {
    expect(problems(`resources: { accelerators: ${text} }\n`)).toMatchObject([
      { path: "resources.accelerators", line: 1, suggestion: "write A100:8" },
    ]);
  });

  test("a name that is almost that of an accelerator is worth a warning, and one of nobody's is not", () => {
    const warned = (text: string) => read(`resources: { accelerators: ${text} }\n`).warnings;
    expect(warned("H1000:8")).toEqual([
      "resources.accelerators (line 1): no accelerator called H1000 is known; did you mean H100?",
    ]);
    for (const text of ["A100-80GB:8", "a100", "MI300X", "RTXPRO4500", "OurOwnCard", "[T4, L40]"])
      expect(warned(text)).toEqual([]);
  });

  test("a word is proposed that is close to the one that is there, and no other", () => {
    expect(problems("resources: { disk_tier: fast }\n")[0]).not.toHaveProperty("suggestion");
    expect(problems("code: x\n")[0]).not.toHaveProperty("suggestion");
    expect(problems("resources: { disk_tier: heigh }\n")).toMatchObject([{ suggestion: "did you mean 'high'?" }]);
  });

  test("a list of accelerators is an order, and two counts of one are two alternatives", () => {
    expect(resources("{ accelerators: [V100:2, T4, V100:2] }")).toEqual({
      ordered: [{ accelerators: { V100: 2 } }, { accelerators: { T4: 1 } }],
    });
    expect(resources("{ accelerators: {L4:1, L4:4} }")).toEqual({
      anyOf: [{ accelerators: { L4: 1 } }, { accelerators: { L4: 4 } }],
    });
  });

  test.each([
    ["4", { count: 4, atLeast: false }],
    ["4+", { count: 4, atLeast: true }],
    ["'0.5'", { count: 0.5, atLeast: false }],
  ])("cpus %s", (text, wanted) => {
    expect(resources(`{ cpus: ${text} }`).cpus).toEqual(wanted);
  });

  test.each([
    ["16", { gib: 16, atLeast: false }],
    ["16+", { gib: 16, atLeast: true }],
    ["16GB", { gib: 16, atLeast: false }],
    ["512MiB+", { gib: 0.5, atLeast: true }],
    ["1t", { gib: 1024, atLeast: false }],
  ])("memory %s", (text, wanted) => {
    expect(resources(`{ memory: ${text} }`).memory).toEqual(wanted);
  });

  test.each([
    "cpus: 0",
    "cpus: -1",
    "cpus: many",
    "cpus: yes",
    "cpus: [1]",
    "memory: 16 XB",
    "memory: {}",
    "disk_size: 512MB",
  ])("%s is refused with its path", text => {
    expect(problems(`resources:\n  ${text}\n`)).toMatchObject([{ path: `resources.${text.split(":")[0]}`, line: 2 }]);
  });

  test.each([
    ["8080", ["8080"]],
    ["'8080'", ["8080"]],
    ["8000-8010", ["8000-8010"]],
    ["[22, 8000-8001, '9']", ["22", "8000-8001", "9"]],
  ])("ports %s", (text, wanted) => {
    expect(resources(`{ ports: ${text} }`).ports).toEqual(wanted);
  });

  test.each(["0", "65536", "9-8", "http", "[80, {}]"])("ports %s are refused", text => {
    expect(problems(`resources:\n  ports: ${text}\n`)).toMatchObject([
      { path: expect.stringContaining("ports"), line: 2 },
    ]);
  });

  test.each([
    ["90", 90],
    ["90s", 90],
    ["2h", 7200],
    ["1h30m", 5400],
    ["0.5s", 1],
  ])("a timeout of %s", (text, wanted) => {
    expect(read(`timeout: ${text}\n`).draft.task.timeout).toBe(wanted);
  });

  test.each(["0", "-1", "soon", "true", ".inf", ".nan", "[1]"])("a timeout of %s is refused", text => {
    expect(problems(`timeout: ${text}\n`)).toMatchObject([{ path: "timeout", line: 1 }]);
  });

  test("core's bounds are told with the file's own path and line", () => {
    expect(problems("run: x\nnum_nodes: 0\n")).toEqual([{ path: "num_nodes", line: 2, message: "must be at least 1" }]);
    expect(problems(`resources:\n  region: ${"x".repeat(64)}\n`)).toEqual([
      { path: "resources.region", line: 2, message: "must be 63 characters at most" },
    ]);
  });
});

describe("where it runs", () => {
  test("a provider's name is lower-cased, and whether there is one is not asked", () => {
    expect(resources("{ provider: Somewhere }")).toEqual({ provider: "somewhere" });
    expect(resources("{ cloud: LOCAL }")).toEqual({ provider: "local" });
  });

  test.each([
    ["aws", { provider: "aws" }],
    ["AWS/us-east-1", { provider: "aws", region: "us-east-1" }],
    ["gcp/*/us-central1-a", { provider: "gcp", zone: "us-central1-a" }],
    ["'*'", {}],
    ["k8s/eu/blue/main", { provider: "kubernetes", region: "eu/blue/main" }],
  ])("infra %s", (text, wanted) => {
    expect(resources(`{ infra: ${text} }`)).toEqual(wanted);
  });

  test("infra beside one of its parts, or with too many, is a mistake", () => {
    expect(problems("resources:\n  infra: aws/us-east-1\n  region: us-east-1\n")).toMatchObject([
      { path: "resources.region", line: 3, message: "says the same as resources.infra: keep one of them" },
    ]);
    expect(problems("resources: { infra: aws/a/b/c }")).toHaveLength(1);
    expect(problems("resources: { infra: aws//b }")).toHaveLength(1);
  });
});
