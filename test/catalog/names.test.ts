/** Names of accelerators, and which quota holds for a machine. Pure. */

import { linkTo, nameParts, QUOTAS, quotaOf } from "@muster/aws/catalog/families.ts";
import { ofEc2 } from "@muster/aws/catalog/names.ts";
import { shapeOf } from "@muster/aws/catalog/types.ts";
import { canonical } from "@muster/core/accelerator/names.ts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { catalog } from "./support.ts";

const known = [...new Set(catalog.types.flatMap(type => Object.keys(type.accelerators ?? {})))];

describe("accelerators", () => {
  test.each([
    ["A100", 40_960, "A100"],
    ["A100", 81_920, "A100-80GB"],
    ["V100", 16_384, "V100"],
    ["V100", 32_768, "V100-32GB"],
    ["H100", 81_920, "H100"],
    ["RTX PRO Server 6000", 98_304, "RTXPRO6000"],
    ["Gaudi HL-205", 32_768, "Gaudi"],
    ["Radeon Pro V520", 8_192, "RadeonProV520"],
    ["Virtex UltraScale+ (VU47P)", 81_920, "VU47P"],
    ["Rubin (R100)", 300_000, "Rubin-R100"],
  ])("EC2's %s of %i MiB is %s", (name, mib, expected) => {
    expect(ofEc2(name, mib)).toBe(expected);
  });

  test.each([
    ["nvidia-l40s", "L40S"],
    ["Tesla T4", "T4"],
    ["NVIDIA Tesla V100", "V100"],
    ["A100_80GB", "A100-80GB"],
    ["Gaudi HL-205", "Gaudi"],
    ["aws trainium1", "Trainium"],
    ["inf2", "Inferentia2"],
    ["MI300X", "MI300X"],
    ["nvidia", "nvidia"],
  ])("%s is meant as %s", (word, expected) => {
    expect(canonical(word)).toBe(expected);
  });

  test("canonical names mean themselves, in any case and with any signs", () => {
    fc.assert(
      fc.property(fc.constantFrom(...known), fc.boolean(), fc.constantFrom("-", "_", " ", ""), (name, upper, sign) => {
        const written = (upper ? name.toUpperCase() : name.toLowerCase()).replaceAll("-", sign);
        expect(canonical(written)).toBe(name);
        expect(canonical(canonical(written))).toBe(name);
      }),
    );
  });

  test("a name that a task file may hold is what every one of them is", () => {
    for (const name of known) expect(name).toMatch(/^(?=.*[a-z])[a-z0-9][a-z0-9._-]*$/i);
  });
});

describe("machine types", () => {
  const info = (more: object) => ({
    InstanceType: "p5en.48xlarge" as const,
    VCpuInfo: { DefaultVCpus: 192 },
    MemoryInfo: { SizeInMiB: 2_097_152 },
    ProcessorInfo: { SupportedArchitectures: ["x86_64" as const] },
    CurrentGeneration: true,
    ...more,
  });

  test("a part of a GPU counts as a part", () => {
    const part = { Name: "L4", Count: 0, GpuPartitionSize: 0.25, MemoryInfo: { SizeInMiB: 5722 } };
    expect(shapeOf(info({ GpuInfo: { Gpus: [part] } }))).toMatchObject({ accelerators: { L4: 0.25 } });
  });

  test("neuron devices count as such, though EC2 tells them twice", () => {
    const device = { Name: "Inferentia2", Count: 6, MemoryInfo: { SizeInMiB: 32_768 } };
    const both = { NeuronInfo: { NeuronDevices: [device] }, InferenceAcceleratorInfo: { Accelerators: [device] } };
    expect(shapeOf(info(both))).toMatchObject({ accelerators: { Inferentia2: 6 }, acceleratorMemory: 32 });
  });

  test("local disks count that are NVMe", () => {
    const disks = (NvmeSupport?: "required" | "unsupported") =>
      shapeOf(info({ InstanceStorageInfo: { TotalSizeInGB: 900, NvmeSupport } }));
    expect([disks("required"), disks()]).toMatchObject([{ nvme: 900 }, { nvme: 900 }]);
    expect(disks("unsupported")).not.toHaveProperty("nvme");
  });

  test("what is told in part, or runs macOS, is no machine for tasks", () => {
    expect(shapeOf({ InstanceType: "p5en.48xlarge" })).toBeUndefined();
    expect(shapeOf(info({ ProcessorInfo: { SupportedArchitectures: ["x86_64_mac"] } }))).toBeUndefined();
    expect(shapeOf(info({ GpuInfo: { Gpus: [{ Name: "H200" }] } }))).not.toHaveProperty("accelerators");
  });
});

describe("quotas", () => {
  test.each([
    ["m7i.xlarge", "L-1216C47A", "L-34B43A08"],
    ["im4gn.large", "L-1216C47A", "L-34B43A08"],
    ["g6e.xlarge", "L-DB2E81BA", "L-3819A6DF"],
    ["gr6.4xlarge", "L-DB2E81BA", "L-3819A6DF"],
    ["vt1.3xlarge", "L-DB2E81BA", "L-3819A6DF"],
    ["p3dn.24xlarge", "L-417A185B", "L-7212CCBC"],
    ["p4d.24xlarge", "L-417A185B", "L-7212CCBC"],
    ["p5en.48xlarge", "L-417A185B", "L-C4BD4855"],
    ["p6-b200.48xlarge", "L-417A185B", undefined],
    ["dl1.24xlarge", "L-6E869C2A", "L-85EED4F7"],
    ["inf2.xlarge", "L-1945791B", "L-B5D1601B"],
    ["trn1.32xlarge", "L-2C3B7624", "L-6B0D517C"],
    ["x2idn.16xlarge", "L-7295265B", "L-E3A00192"],
    ["f2.6xlarge", "L-74FC7D96", "L-88CF9481"],
    ["u7i-6tb.112xlarge", "L-43DA4232", undefined],
    ["u-6tb1.56xlarge", "L-43DA4232", undefined],
    ["hpc7a.96xlarge", "L-F7808C92", undefined],
    ["mac2.metal", undefined, undefined],
  ])("%s counts against %s on demand and %s on spot", (type, onDemand, spot) => {
    expect(quotaOf(type, "on_demand")?.code).toBe(onDemand);
    expect(quotaOf(type, "spot")?.code).toBe(spot);
  });

  test("every type of the catalog has a quota on demand", () => {
    for (const type of catalog.types) expect(quotaOf(type.name, "on_demand"), type.name).toBeDefined();
  });

  test("no code stands for two quotas", () => {
    expect(new Set(QUOTAS.map(({ code }) => code)).size).toBe(QUOTAS.length);
    expect(new Set(QUOTAS.map(({ name }) => name)).size).toBe(QUOTAS.length);
  });

  test("the link leads to the region's console", () => {
    const quota = { code: "L-1", name: "one" };
    expect(linkTo(quota, "eu-west-1")).toBe(
      "https://eu-west-1.console.aws.amazon.com/servicequotas/home/services/ec2/quotas/L-1",
    );
  });

  test("generations are read off names", () => {
    expect(nameParts("p6-b200.48xlarge")).toEqual({ letters: "p", generation: 6 });
    expect(nameParts("u-6tb1.56xlarge")).toEqual({ letters: "u", generation: 0 });
  });
});
