/** What is said of accelerators that cannot be had as asked for. Pure; against the catalog of support.ts. */

import { offers } from "@muster/aws/ec2/offers/offers.ts";
import { canonical } from "@muster/core/accelerator/names.ts";
import type { Choice } from "@muster/core/task/resources.ts";
import { offersOf } from "@muster/local/provider/offers.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { catalog, withType } from "./support.ts";

const HERE =
  "us-east-1 has T4:1 g4dn.xlarge $0.526/h, Inferentia2:1 inf2.xlarge $0.7582/h, L4:1 g6.xlarge $0.8048/h, A10G:1 g5.xlarge $1.01/h, Trainium:1 trn1.2xlarge $1.34/h, L40S:1 g6e.xlarge $1.86/h, RTXPRO6000:1 g7e.2xlarge $3.36/h, H100:1 p5.4xlarge $6.88/h, A100:8 p4d.24xlarge $21.96/h, A100-80GB:8 p4de.24xlarge $27.45/h, H200:8 p5en.48xlarge $63.30/h, B200:8 p6-b200.48xlarge (no price known)";
const CHOOSE = "ask for one of those with: --resources.accelerators NAME:COUNT";

describe("on EC2", () => {
  test.each<[string, Choice, string, string]>([
    [
      "a count that no machine has is never rounded up",
      { accelerators: { A100: 3 } },
      "EC2 has no machine with 3 A100 in us-east-1; the nearest: A100:8 p4d.24xlarge $21.96/h, A100-80GB:8 p4de.24xlarge $27.45/h",
      "run it on one of these with: --resources.accelerators A100:8",
    ],
    [
      "of several, the nearest to any",
      { accelerators: { A100: 4, H100: 2 } },
      "EC2 has no machine with 4 A100 or 2 H100 in us-east-1; the nearest: H100:1 p5.4xlarge $6.88/h, A100:8 p4d.24xlarge $21.96/h, A100-80GB:8 p4de.24xlarge $27.45/h, H100:8 p5.48xlarge $55.04/h",
      "run it on one of these with: --resources.accelerators H100:1",
    ],
    [
      "a part of a GPU",
      { accelerators: { L4: 0.5 } },
      "EC2 has no machine with 0.5 L4 in us-east-1; the nearest: L4:1 g6.xlarge $0.8048/h, L4:4 g6.12xlarge $4.60/h, L4:8 g6.48xlarge $13.35/h; parts of one are given by machine type only: L4:0.25 g6f.2xlarge $0.4831/h",
      "run it on one of these with: --resources.accelerators L4:1",
    ],
    [
      "a machine without a price",
      { accelerators: { B200: 4 } },
      "EC2 has no machine with 4 B200 in us-east-1; the nearest: B200:8 p6-b200.48xlarge (no price known)",
      "run it on one of these with: --resources.accelerators B200:8",
    ],
    [
      "a GPU of ARM machines",
      { accelerators: { T4g: 1 } },
      "EC2 has no machine with 1 T4g in us-east-1; it is an accelerator of ARM machines, which are given by name only: T4g:1 g5g.xlarge $0.42/h",
      "name one: --resources.instance_type g5g.xlarge --resources.accelerators null",
    ],
    ["a TPU", { accelerators: { "tpu-v4-8": 1 } }, `TPUs are Google's, and EC2 has none (tpu-v4-8); ${HERE}`, CHOOSE],
    [
      "a TPU in capitals",
      { accelerators: { "TPU-V5E": 4 } },
      `TPUs are Google's, and EC2 has none (TPU-V5E); ${HERE}`,
      CHOOSE,
    ],
    ["a GPU of others", { accelerators: { A40: 1 } }, `EC2 has no A40 in any region; ${HERE}`, CHOOSE],
    ["one of no shape here", { accelerators: { "H100 NVL": 1 } }, `EC2 has no H100 NVL in any region; ${HERE}`, CHOOSE],
    ["one of other regions", { accelerators: { trn3: 1 } }, `us-east-1 has no Trainium3; ${HERE}`, CHOOSE],
    [
      "several, each for its own reason",
      { accelerators: { "tpu-v5p-8": 1, A40: 2 } },
      `TPUs are Google's, and EC2 has none (tpu-v5p-8), and EC2 has no A40 in any region; ${HERE}`,
      CHOOSE,
    ],
    ["a word", { accelerators: { foobarbaz: 1 } }, `there is no accelerator 'foobarbaz'; ${HERE}`, CHOOSE],
    [
      "a slip of the pen",
      { accelerators: { H1O0: 8 } },
      `there is no accelerator 'H1O0'; ${HERE}`,
      "did you mean H100? --resources.accelerators H100:8",
    ],
    [
      "a smaller memory than EC2 has",
      { accelerators: { V100: 8 } },
      `us-east-1 has no V100; ${HERE}`,
      "did you mean V100-32GB? --resources.accelerators V100-32GB:8",
    ],
    [
      "vCPUs that no machine with it has",
      { accelerators: { A10G: 1 }, cpus: { count: 5, atLeast: false } },
      "no machine of us-east-1 with 1 A10G has exactly 5 vCPUs; the nearest that have more: 8 vCPUs and 32 GiB (g5.2xlarge $1.21/h), 16 vCPUs and 64 GiB (g5.4xlarge $1.62/h), 32 vCPUs and 128 GiB (g5.8xlarge $2.45/h)",
      "ask for at least as much: --resources.cpus 5+",
    ],
    [
      "memory that no machine with it has",
      { accelerators: { A100: 8 }, memory: { gib: 2000, atLeast: true } },
      "no machine of us-east-1 with 8 A100 has at least 2000 GiB; the nearest have less: 96 vCPUs and 1152 GiB (p4d.24xlarge $21.96/h)",
      "ask for less, or for several hosts",
    ],
    [
      "a machine type that has another",
      { instanceType: "g5.xlarge", accelerators: { A100: 8 } },
      "a g5.xlarge has 1 A10G, not 8 A100",
      "leave out what contradicts the machine type, or the type: --resources.instance_type null",
    ],
  ])("%s", (_what, resources, reason, hint) => {
    expect(offers(catalog, resources)).toEqual({ offers: [], reason, hint });
  });

  test("a region without accelerators says that there are none", () => {
    const bare = { ...catalog, types: catalog.types.filter(type => type.accelerators === undefined) };
    expect(offers(bare, { accelerators: { A100: 8 } }).reason).toBe(
      "us-east-1 has no A100; us-east-1 has no machine with accelerators that Muster has an image for",
    );
  });

  test("a machine's price is what the catalog says", () => {
    const dear = withType("p4d.24xlarge", { onDemand: 32.7726 });
    expect(offers(dear, { accelerators: { A100: 3 } }).reason).toContain("A100:8 p4d.24xlarge $32.77/h");
  });

  test("whatever is asked for, nobody gets more or fewer than that", () => {
    const names = [...new Set(catalog.types.flatMap(type => Object.keys(type.accelerators ?? {})))];
    const count = fc.oneof(fc.integer({ min: 1, max: 17 }), fc.constantFrom(0.25, 0.5, 1.5));
    fc.assert(
      fc.property(fc.constantFrom(...names), count, (name, wanted) => {
        const found = offers(catalog, { accelerators: { [name]: wanted }, image: "ami-0123" });
        for (const offer of found.offers) expect(offer.accelerators[canonical(name)]).toBe(wanted);
        if (found.offers.length === 0) expect(`${found.reason} ${found.hint}`).not.toMatch(/undefined|NaN|Infinity/);
      }),
      { numRuns: 500 },
    );
  });
});

describe("on this machine", () => {
  const machine = (...gpus: string[]) => ({ cpus: 4, memory: 16, gpus });
  const hint = "run it on what is here with: --resources.accelerators null";

  test.each<[string[], Choice["accelerators"], string]>([
    [[], { A100: 8 }, "this machine has no A100:8: it has no GPU"],
    [
      ["NVIDIA A10G", "NVIDIA A10G"],
      { A10G: 4, A100: 1 },
      "this machine has no A10G:4 or A100:1: it has NVIDIA A10G:2",
    ],
    [["NVIDIA A10G", "Tesla T4"], { L4: 1 }, "this machine has no L4:1: it has NVIDIA A10G:1, Tesla T4:1"],
    [[], { "tpu-v4-8": 1 }, "TPUs are Google's; this machine has no tpu-v4-8:1: it has no GPU"],
  ])("with %j, %j is refused", (gpus, accelerators, reason) => {
    expect(offersOf(machine(...gpus), { accelerators })).toEqual({ offers: [], reason, hint });
  });

  test("what is there is offered", () => {
    expect(offersOf(machine("NVIDIA A10G", "NVIDIA A10G"), { accelerators: { A10G: 2 } }).offers).toHaveLength(1);
  });

  test("images have no place here, by region or not", () => {
    for (const asked of [{ image: "docker:ubuntu" }, { images: { "us-east-1": "docker:ubuntu" } }])
      expect(offersOf(machine(), asked).reason).toBe("hosts on this machine run no images ('docker:ubuntu')");
  });
});
