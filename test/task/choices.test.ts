/** Alternatives, images, priorities and prices, as SkyPilot's task files have them. Pure. */
import { describe, expect, test } from "vitest";
import { problems, read, resources } from "./support.ts";

describe("alternatives", () => {
  test("each is read by the keys of a machine, in order", () => {
    const text = `{ accelerators: H100:8, ordered: [
      { infra: aws/us-east-1, use_spot: true, ports: [80], labels: { a: b }, disk_size: 2TB },
      { cloud: GCP, cpus: 4+, memory: 16, instance_type: n1, gpus: "A100:4", max_hourly_cost: 3.5 } ] }`;
    expect(resources(text)).toEqual({
      accelerators: { H100: 8 },
      ordered: [
        { provider: "aws", region: "us-east-1", spot: true, ports: ["80"], labels: { a: "b" }, diskSize: 2048 },
        {
          provider: "gcp",
          cpus: { count: 4, atLeast: true },
          memory: { gib: 16, atLeast: false },
          instanceType: "n1",
          accelerators: { A100: 4 },
          maxHourly: 3.5,
        },
      ],
    });
  });

  test("one that says where it runs takes nothing over from the place of all", () => {
    expect(resources("{ infra: aws/us-east-1/us-east-1a, any_of: [{ infra: gcp }, { use_spot: true }] }")).toEqual({
      anyOf: [{ provider: "gcp" }, { provider: "aws", region: "us-east-1", zone: "us-east-1a", spot: true }],
    });
    expect(resources("{ cloud: aws, region: us-east-1, any_of: [{ region: us-west-2 }, {}] }")).toEqual({
      provider: "aws",
      region: "us-east-1",
      anyOf: [{ region: "us-west-2" }, {}],
    });
  });

  test("one that says its image, or that it has none, takes neither image nor images over", () => {
    const images = "image_id: { us-east-1: ami-1 }";
    expect(
      resources(`{ infra: aws, ${images}, any_of: [{ image_id: ami-2 }, { image_id: null }, { cpus: 2 }] }`),
    ).toEqual({
      provider: "aws",
      anyOf: [{ image: "ami-2" }, {}, { cpus: { count: 2, atLeast: false }, images: { "us-east-1": "ami-1" } }],
    });
  });

  test("nothing in a key takes back what is said for all", () => {
    expect(resources("{ accelerators: L4, use_spot: true, any_of: [{ use_spot: null }, { accelerators: }] }")).toEqual({
      anyOf: [{ accelerators: { L4: 1 } }, { spot: true }],
    });
  });

  test("they may stand in a group", () => {
    const { draft } = read("groups: [{ name: a, resources: { cpus: 2, any_of: [{ spot: true }, { efa: true }] } }]\n");
    expect(draft.groups).toMatchObject([{ resources: { cpus: { count: 2 }, anyOf: [{ spot: true }, { efa: true }] } }]);
  });

  test("several accelerators in a set are any of them", () => {
    expect(resources("{ infra: aws, accelerators: {L4:1, A100:1} }").accelerators).toEqual({ L4: 1, A100: 1 });
  });

  test("each of them is meant with each of several accelerators", () => {
    expect(resources("{ accelerators: {A100, L4}, any_of: [{ cpus: 4 }, { infra: aws }] }")).toEqual({
      accelerators: { A100: 1, L4: 1 },
      anyOf: [{ cpus: { count: 4, atLeast: false } }, { provider: "aws" }],
    });
    expect(resources("{ accelerators: ['A100:8', L4], ordered: [{ infra: aws }, { infra: gcp, gpus: T4 }] }")).toEqual({
      ordered: [
        { provider: "aws", accelerators: { A100: 8 } },
        { provider: "aws", accelerators: { L4: 1 } },
        { provider: "gcp", accelerators: { T4: 1 } },
      ],
    });
  });

  test("a list of accelerators within one of them makes several of it, and what takes back those of all has none", () => {
    expect(
      resources("{ accelerators: {L4:1, L4:4}, any_of: [{ accelerators: [A100, T4], use_spot: true }, { gpus: }] }"),
    ).toEqual({ anyOf: [{ accelerators: { A100: 1 }, spot: true }, { accelerators: { T4: 1 }, spot: true }, {}] });
  });

  test("what is wrong with one of those is told where it is said", () => {
    const text = "resources:\n  accelerators: [A100, L4]\n  any_of:\n    - cpus: 2\n    - cpus: 5000\n";
    expect(problems(text)).toEqual([
      { path: "resources.any_of.1.cpus", line: 5, message: "must be 4096 at most, which is Muster's bound" },
    ]);
  });

  test.each([
    ["{ accelerators: [a1, a2, a3], any_of: [{}, {}, {}, {}, {}, {}, {}] }", "any_of"],
    [
      "{ any_of: [{}, { accelerators: [a1, a2, a3, a4, a5, a6, a7, a8, a9, b1, b2, b3, b4, b5, b6, b7, b8, b9, c1, c2] }] }",
      "any_of",
    ],
  ])("more than 20 in the end are refused", (text, key) => {
    expect(problems(`resources: ${text}\n`)).toEqual([
      {
        path: `resources.${key}`,
        line: 1,
        message: "makes more than 20 alternatives, each with each of its accelerators, which is Muster's bound",
        suggestion: "name those that you would take",
      },
    ]);
  });

  test("TPUs cannot be had", () => {
    expect(read("resources: { accelerators: tpu-v5e-8 }\n").unsupported).toMatchObject([
      { path: "resources.accelerators", why: "TPUs, which are Google's" },
    ]);
  });
});

describe("images", () => {
  test.each([
    ...["docker:ubuntu:22.04", "nvcr.io/nvidia/pytorch:24.01", "localhost:5000/mine", "ghcr.io/me/it"],
    ...["runpod/pytorch:2.4.0-py3.11", "winglian/axolotl", "a/b/c:main", `a/b@sha256:${"0".repeat(64)}`],
  ])("%s is a container's", id => {
    const { draft, unsupported } = read(`resources: { image_id: '${id}' }\n`);
    expect(unsupported).toEqual([]);
    expect(draft.task.container).toEqual({ image: id.replace("docker:", ""), options: [] });
    expect(draft.task.resources).not.toHaveProperty("image");
  });

  test.each([
    ...["ami-0123456789abcdef0", "projects/deep/global/images/one", "ubuntu", "ssm:/aws/service/image"],
    "/communityGalleries/a/images/b",
  ])("%s is a machine's", id => {
    expect(resources(`{ image_id: ${id} }`)).toEqual({ image: id });
  });

  test("in place of SkyPilot's own, Muster's own is taken, in that region too, and that is said", () => {
    const { draft, warnings } = read(
      "resources:\n  image_id: { us-east-1: skypilot:gpu-ubuntu-2204, eu-west-1: ami-1 }\n",
    );
    expect(draft.task.resources).toEqual({
      images: { "us-east-1": "skypilot:gpu-ubuntu-2204", "eu-west-1": "ami-1" },
    });
    expect(resources("{ image_id: SkyPilot:gpu }")).toEqual({ image: "skypilot:gpu" });
    expect(warnings).toEqual([
      "resources.image_id.us-east-1 (line 2): skypilot:gpu-ubuntu-2204 is an image of SkyPilot's; Muster takes its own default in its place",
    ]);
  });
});

describe("priorities", () => {
  test.each([
    [-1000, 0],
    [-999, 1],
    [0, 500],
    [1000, 1000],
  ])("SkyPilot's %d is %d", (given, wanted) => {
    expect(read(`resources: { priority: ${given} }\n`).draft.priority).toBe(wanted);
  });

  test("Muster's own is taken as it is, and none is none", () => {
    expect(read("priority: 700\n").draft.priority).toBe(700);
    expect(read("run: x\n").draft).not.toHaveProperty("priority");
  });
});

test("a price is of one machine in either spelling", () => {
  expect(resources("{ max_hourly_cost: 2.5 }")).toEqual({ maxHourly: 2.5 });
});

test("a disk is as many whole gigabytes as SkyPilot makes of it, in its files alone", () => {
  const { draft, warnings } = read("resources: { infra: aws, disk_size: 1500MB }\n");
  expect([draft.task.resources.diskSize, warnings]).toEqual([
    1,
    ["resources.disk_size: is taken as 1 GB, as SkyPilot takes it"],
  ]);
});

describe("clouds", () => {
  test.each(["AWS", "Kubernetes", "k8s", "lab", "aws2", "gcp-lab", "labs", "do", "target-7"])("%s may be one", name => {
    const { provider } = resources(`{ infra: '${name}' }`);
    expect(provider).toBe(name === "k8s" ? "kubernetes" : name.toLowerCase());
  });

  test("in Muster's own form any name may be a target's", () => {
    expect(resources("{ provider: asw }")).toEqual({ provider: "asw" });
  });
});
