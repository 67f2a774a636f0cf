/** What is offered for a request. Pure; against the catalog of support.ts. */

import { offers } from "@muster/aws/ec2/offers/offers.ts";
import type { Resources } from "@muster/core/task/task.ts";
import { describe, expect, test } from "vitest";
import { catalog, withQuota, withType } from "./support.ts";

const of = (resources: Resources, from = catalog) => offers(from, resources);
const names = (resources: Resources, from = catalog) => [
  ...new Set(of(resources, from).offers.map(offer => offer.instanceType)),
];

const ANY = { gib: 1, atLeast: true };

describe("what is offered", () => {
  test("a request for nothing gets the cheapest plain machine of 4 vCPUs and 16 GiB or more", () => {
    const [first] = of({}).offers;
    expect(first).toMatchObject({ instanceType: "m7i-flex.xlarge", market: "on_demand", hourly: 0.19152 });
    for (const offer of of({}).offers) {
      expect(offer.accelerators).toEqual({});
      expect(offer.instanceType).not.toMatch(/^(t3|t4g|m7g|m5|m6i)\./);
      expect(offer.cpus).toBeGreaterThanOrEqual(4);
      expect(offer.memory).toBeGreaterThanOrEqual(16);
    }
  });

  test("an offer says everything that a plan shows", () => {
    const [first] = of({ accelerators: { A100: 8 } }).offers;
    expect(first).toEqual({
      provider: "aws",
      instanceType: "p4d.24xlarge",
      region: "us-east-1",
      zone: "us-east-1a",
      market: "on_demand",
      cpus: 96,
      memory: 1152,
      accelerators: { A100: 8 },
      hourly: 21.957642,
      // 256 GB at $0.08 a month.
      disk: (256 * 0.08) / 730,
      localDisk: 8000,
    });
  });

  test("one offer per zone that has the type and a subnet", () => {
    const zones = of({ instanceType: "p5.48xlarge" }).offers.map(offer => offer.zone);
    expect(zones).toEqual(["us-east-1a", "us-east-1b", "us-east-1c"]);
    expect(of({ instanceType: "p4de.24xlarge" }).offers.map(offer => offer.zone)).toEqual(["us-east-1b", "us-east-1c"]);
  });

  test("any of several accelerators will do, the cheapest first", () => {
    expect(names({ accelerators: { A10G: 1, L4: 1, T4: 1 } }).slice(0, 4)).toEqual([
      "g4dn.xlarge",
      "g4dn.2xlarge",
      "g6.xlarge",
      "g6.2xlarge",
    ]);
  });

  test.each([
    ["a100-80gb", 8, "p4de.24xlarge", { "A100-80GB": 8 }],
    ["A100-40GB", 8, "p4d.24xlarge", { A100: 8 }],
    ["NVIDIA H100", 1, "p5.4xlarge", { H100: 1 }],
    ["RTX-PRO-6000", 1, "g7e.2xlarge", { RTXPRO6000: 1 }],
    ["trainium", 1, "trn1.2xlarge", { Trainium: 1 }],
  ])("%s:%i is a %s", (name, count, type, accelerators) => {
    const [first] = of({ accelerators: { [name]: count } }).offers;
    expect(first).toMatchObject({ instanceType: type, accelerators });
  });

  test("4 is exactly 4, and 4+ at least 4", () => {
    const exact = of({ cpus: { count: 4, atLeast: false } }).offers;
    expect(new Set(exact.map(offer => offer.cpus))).toEqual(new Set([4]));
    const least = of({ cpus: { count: 4, atLeast: true } }).offers;
    expect(new Set(least.map(offer => offer.cpus)).size).toBeGreaterThan(1);
  });

  test("who asks for vCPUs alone gets 4 GiB for each, where there is such a machine", () => {
    expect(names({ cpus: { count: 4, atLeast: false } })).not.toContain("c6i.xlarge");
    expect(names({ cpus: { count: 4, atLeast: false }, memory: { gib: 8, atLeast: false } })).toEqual([
      "c6i.xlarge",
      "c7i.xlarge",
    ]);
    expect(names({ cpus: { count: 128, atLeast: false } })).toContain("c6i.32xlarge");
  });

  test("peculiar machines are offered by name", () => {
    for (const name of ["t3.medium", "m7g.xlarge", "m5.metal", "g5g.xlarge", "m5.xlarge"])
      expect(names({ instanceType: name })).toEqual([name]);
    expect(names({ instanceType: "G5.XLARGE" })).toEqual(["g5.xlarge"]);
  });

  test("spot has the zone's price, and is sorted by it", () => {
    const found = of({ accelerators: { A10G: 1 }, spot: true }).offers;
    expect(found.every(offer => offer.market === "spot")).toBe(true);
    const cheapest = Math.min(...found.map(offer => offer.hourly));
    expect(found[0]?.hourly).toBe(cheapest);
  });

  test("with the fallback, machines on demand come after all spot machines", () => {
    const markets = of({ accelerators: { A10G: 1 }, spot: true, spotFallback: true }).offers.map(one => one.market);
    expect(markets).toEqual(markets.toSorted().toReversed());
    expect(new Set(markets)).toEqual(new Set(["spot", "on_demand"]));
  });

  test("however many spot machines there are, the fallback is not crowded out", () => {
    const subnets = ["a", "b", "c", "d", "e", "f"].map(letter => ({
      ...catalog.network!.subnets[0]!,
      zone: `us-east-1${letter}`,
    }));
    const types = [...catalog.types, ...catalog.types.map(type => ({ ...type, name: `${type.name}2` }))];
    const wide = { ...catalog, types, network: { vpc: "vpc-1", subnets } };
    const found = of({ cpus: { count: 1, atLeast: true }, memory: ANY, spot: true, spotFallback: true }, wide).offers;
    expect(found.filter(offer => offer.market === "spot").length).toBe(100);
    expect(found.filter(offer => offer.market === "on_demand").length).toBe(100);
  });

  test("the newer of two machines of one price comes first", () => {
    const even = withType("g5.xlarge", { onDemand: 0.8048 });
    expect(names({ accelerators: { A10G: 1, L4: 1 } }, even).slice(0, 2)).toEqual(["g6.xlarge", "g5.xlarge"]);
  });

  test("efa with several adapters goes to a private subnet with a way out, with one anywhere", () => {
    expect(of({ instanceType: "p4d.24xlarge", efa: true }).offers.map(offer => offer.zone)).toEqual(["us-east-1b"]);
    expect(of({ instanceType: "p5.4xlarge", efa: true }).offers.length).toBe(3);
  });

  test("what is sold in capacity blocks only is offered with a reservation: it was paid for in advance", () => {
    const found = of({ instanceType: "p6-b200.48xlarge", reservation: "cr-0123" }).offers;
    expect(found).toEqual([expect.objectContaining({ hourly: 0, market: "on_demand", zone: "us-east-1c" })]);
  });

  test("an image of one's own starts what none of ours drives", () => {
    expect(names({ accelerators: { "V100-32GB": 8 }, image: "ami-0123", maxHourly: 40 })).toEqual(["p3dn.24xlarge"]);
    expect(of({ accelerators: { "V100-32GB": 8 } })).toMatchObject({
      offers: [],
      reason: "Muster has no image that drives 8 V100-32GB",
      hint: "name an image of your own with: --resources.image_id ami-…",
    });
  });
});

describe("why nothing is offered", () => {
  test.each<[string, Resources, RegExp, RegExp]>([
    [
      "a disk tier that is not",
      { diskTier: "turbo" },
      /^there is no disk tier 'turbo'$/,
      /^choose one of: none, low, medium, high, ultra, best$/,
    ],
    ["a slip in a type", { instanceType: "g5.xlrage" }, /no machine type 'g5\.xlrage'/, /did you mean g5\.xlarge\?/],
    ["SageMaker's name of a type", { instanceType: "ml.g5.xlarge" }, /ml\.g5\.xlarge/, /did you mean g5\.xlarge\?/],
    [
      "a type that is not what else was asked for",
      { instanceType: "g5.xlarge", accelerators: { A100: 8 } },
      /^a g5\.xlarge has 1 A10G, not 8 A100$/,
      /instance_type null/,
    ],
    [
      "a size that no machine has",
      { cpus: { count: 5, atLeast: false } },
      /^no machine of us-east-1 has exactly 5 vCPUs; the nearest that have more: /,
      /--resources\.cpus 5\+$/,
    ],
    [
      "more than any machine has",
      { memory: { gib: 60_000, atLeast: true } },
      /at least 60000 GiB; the nearest have less: /,
      /ask for less/,
    ],
    [
      "another region",
      { region: "eu-west-1" },
      /makes machines in us-east-1, not in eu-west-1/,
      /deployment in eu-west-1/,
    ],
    ["a zone that is not", { zone: "us-east-1z" }, /no zone 'us-east-1z'; it has: us-east-1a/, /zone null/],
    ["a zone without a subnet", { zone: "us-east-1f" }, /no subnet in us-east-1f/, /zone null/],
    [
      "a zone that has not the type",
      { zone: "us-east-1a", instanceType: "p4de.24xlarge" },
      /not to be had in us-east-1a/,
      /zone null/,
    ],
    [
      "a ceiling",
      { accelerators: { H100: 8 }, maxHourly: 30 },
      /p5\.48xlarge at \$55\.04\/h; the ceiling is \$30\.00\/h/,
      /raise the ceiling/,
    ],
    ["a reservation of nothing in particular", { reservation: "cr-1" }, /of one machine type/, /instance_type TYPE/],
    [
      "a reservation of spot machines",
      { reservation: "cr-1", spot: true, instanceType: "p5.48xlarge" },
      /not spot/,
      /use_spot false/,
    ],
    [
      "a type without a price",
      { instanceType: "p6-b200.48xlarge" },
      /no price on demand is known for p6-b200\.48xlarge/,
      /reserve it/,
    ],
    ["efa where it is not", { instanceType: "g5.xlarge", efa: true }, /takes no Elastic Fabric Adapter/, /./],
    [
      "several adapters without a private subnet",
      { instanceType: "trn1.32xlarge", efa: true, zone: "us-east-1c" },
      /no private subnet with a way out/,
      /NAT gateway/,
    ],
    [
      "a placement group for flex machines",
      { instanceType: "m7i-flex.xlarge", placementGroup: true },
      /placement group/,
      /./,
    ],
  ])("%s", (_what, resources, reason, hint) => {
    const found = of(resources);
    expect(found.offers).toEqual([]);
    expect(found.reason).toMatch(reason);
    expect(found.hint).toMatch(hint);
  });

  test("a quota that is too small is named, with the place where to ask for more", () => {
    const found = of({ accelerators: { H100: 8 } }, withQuota("L-417A185B", 0));
    const link = "https://us-east-1.console.aws.amazon.com/servicequotas/home/services/ec2/quotas/L-417A185B";
    const reason = "the quota 'Running On-Demand P instances' is 0 vCPUs; one p5.48xlarge has 192";
    expect(found).toEqual({
      offers: [],
      reason: `in us-east-1 ${reason}`,
      hint: `ask AWS for more: ${link}`,
      barred: [{ instanceType: "p5.48xlarge", market: "on_demand", reason, link }],
    });
  });

  test("what other groups get counts with the quota", () => {
    const [offer] = of({ accelerators: { A100: 8 } }).offers;
    const beside = [{ offer: offer!, nodes: 2 }];
    const left = withQuota("L-417A185B", 2 * 96 + 192);
    expect(offers(left, { accelerators: { H100: 8 } }, 1, beside).offers).toHaveLength(3);
    const found = offers(withQuota("L-417A185B", 2 * 96 + 191), { accelerators: { H100: 8 } }, 1, beside);
    expect(found.reason).toBe(
      "in us-east-1 the quota 'Running On-Demand P instances' is 383 vCPUs; one p5.48xlarge has 192, and the groups before it have 192",
    );
    expect(offers(withQuota("L-417A185B", 192), { accelerators: { A10G: 1 } }, 1, beside).offers).not.toEqual([]);
    const free = { ...offer!, market: "spot" as const };
    expect(
      offers(withQuota("L-417A185B", 192), { accelerators: { H100: 8 } }, 1, [{ offer: free, nodes: 2 }]).offers,
    ).toHaveLength(3);
  });

  test("what the quota bars on spot may be had on demand", () => {
    const found = of({ accelerators: { H100: 8 }, spot: true, spotFallback: true });
    expect(found.offers.map(offer => offer.market)).toEqual(["on_demand", "on_demand", "on_demand"]);
    expect(found.barred).toEqual([expect.objectContaining({ instanceType: "p5.48xlarge", market: "spot" })]);
  });

  test("a quota whose value is not known bars nothing", () => {
    expect(of({ instanceType: "p5.48xlarge" }, { ...catalog, quotas: {} }).offers.length).toBe(3);
  });

  test("a catalog without types says why it has none", () => {
    const problem = {
      part: "types",
      message: "machine types could not be read: AccessDenied",
      fix: "allow it",
    } as const;
    const found = of({}, { ...catalog, types: [], problems: [problem] });
    expect(found).toEqual({ offers: [], reason: expect.stringContaining("AccessDenied"), hint: "allow it" });
  });

  test("a catalog without prices says why it has none", () => {
    const problem = { part: "prices", message: "AccessDenied on pricing", fix: "allow pricing:GetProducts" } as const;
    const bare = catalog.types.map(({ onDemand: _, ...type }) => type);
    const found = of({ instanceType: "g5.xlarge" }, { ...catalog, types: bare, problems: [problem] });
    expect(found).toMatchObject({ offers: [], hint: "allow pricing:GetProducts" });
    expect(of({ instanceType: "g5.xlarge", spot: true }, { ...catalog, types: bare }).offers.length).toBe(3);
  });

  test("without an image for it a machine is not offered", () => {
    expect(of({ accelerators: { A10G: 1 } }, { ...catalog, images: {} })).toMatchObject({
      offers: [],
      reason: expect.stringContaining("no image for g5.xlarge is known in us-east-1"),
    });
  });
});
