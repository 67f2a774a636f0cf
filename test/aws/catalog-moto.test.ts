/**
 * Ran against: moto through the edge. Machine types, zones, spot rows, VPCs, routes and images are moto's, of which types
 * and zones are recorded from AWS. Prices, quotas and the public parameters are OURS (catalog-support.ts), since moto has
 * none of them.
 */
import * as Ec2 from "@aws-sdk/client-ec2";
import { type Catalog, purposeOf } from "@muster/aws/catalog/catalog.ts";
import { checks } from "@muster/aws/catalog/checks.ts";
import { quotaOf } from "@muster/aws/catalog/families.ts";
import { refresh, type Source } from "@muster/aws/catalog/refresh.ts";
import { ec2Of } from "@muster/aws/ec2/client.ts";
import { offers } from "@muster/aws/ec2/offers/offers.ts";
import { canonical } from "@muster/core/accelerator/names.ts";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { DEEP, gaps, UBUNTU } from "./catalog-support.ts";
import { type Edge, startEdge } from "./support/edge.ts";
import { type Moto, startMoto } from "./support/moto.ts";

const NOW = Date.UTC(2026, 0, 1);
const credentials = async () => ({ accessKeyId: "key", secretAccessKey: "secret" });

let moto: Moto;
let edge: Edge;
let raw: Ec2.EC2Client;
let source: Source;
let catalog: Catalog;

beforeAll(async () => {
  moto = await startMoto();
  edge = await startEdge({ moto, gaps });
  raw = new Ec2.EC2Client({ endpoint: moto.url, region: "us-east-1", credentials });
  source = sourceOf("us-east-1");
  catalog = await refresh(source, {}, NOW);
});
afterEach(() => edge.clear());
afterAll(async () => {
  raw?.destroy();
  await edge?.close();
  await moto?.close();
});

function sourceOf(region: string): Source {
  const aws = { region, credentials, endpoint: edge.url };
  return { aws, ec2: ec2Of(aws), deployment: "app-test" };
}

const typeOf = (name: string, from = catalog) => from.types.find(type => type.name === name);

describe("what AWS has, as moto recorded it", () => {
  test("a machine with its accelerators, zones and prices", () => {
    expect(typeOf("p5.48xlarge")).toEqual({
      name: "p5.48xlarge",
      cpus: 192,
      memory: 2048,
      arch: "x86_64",
      accelerators: { H100: 8 },
      acceleratorMemory: 80,
      nvme: 30_400,
      efa: 32,
      spotMarket: true,
      zones: ["a", "b", "c", "d", "e", "f"].map(letter => `us-east-1${letter}`),
      onDemand: 55.04,
      spot: expect.objectContaining({ "us-east-1a": 0.00001 }),
    });
    expect(typeOf("t4g.large")).toMatchObject({ arch: "arm64", burstable: true });
    expect(typeOf("m5.metal")).toMatchObject({ metal: true, previous: true });
    expect(typeOf("g6f.2xlarge")).toMatchObject({ accelerators: { L4: 0.25 } });
    expect(typeOf("mac1.metal")).toBeUndefined();
  });

  test("all types of the region, each with a quota and a zone, in order", () => {
    expect(catalog.types.length).toBeGreaterThan(1000);
    const names = catalog.types.map(type => type.name);
    expect(names).toEqual(names.toSorted());
    expect(new Set(names).size).toBe(names.length);
    expect(catalog.types.filter(type => type.zones.length === 0)).toEqual([]);
    expect(names.filter(name => quotaOf(name, "on_demand") === undefined)).toEqual([]);
  });

  test("every accelerator has a canonical name that means itself", () => {
    const names = new Set(catalog.types.flatMap(type => Object.keys(type.accelerators ?? {})));
    expect([...names].toSorted()).toEqual(
      expect.arrayContaining(["A100", "A100-80GB", "A10G", "B200", "H100", "H200", "L4", "L40S", "RTXPRO6000", "T4"]),
    );
    for (const name of names) expect(canonical(name)).toBe(name);
  });

  test("machines with NVIDIA's GPUs of today and those without any start from an image of ours", () => {
    const without = catalog.types.filter(type => purposeOf(type) === undefined).map(type => type.name.split(".")[0]);
    expect([...new Set(without)].toSorted()).toEqual(["dl1", "f2", "g4ad", "g6f", "gr6f", "inf1", "p3dn", "vt1"]);
  });
});

describe("what is ours to read: prices, quotas, parameters", () => {
  test("prices on demand come from all pages; what is free, per something else or of another market is none", () => {
    const priced = catalog.types.filter(type => type.onDemand !== undefined).map(type => [type.name, type.onDemand]);
    expect(priced).toEqual([
      ["g5.xlarge", 1.006],
      ["m7i.xlarge", 0.2016],
      ["p5.48xlarge", 55.04],
    ]);
  });

  test("quotas are the account's own, and AWS's defaults where it lists none", () => {
    expect(catalog.quotas).toEqual({ "L-1216C47A": 64, "L-DB2E81BA": 8, "L-417A185B": 0 });
  });

  test("images are the first that is published and there", () => {
    expect(catalog.images).toEqual({
      cpuX64: { id: UBUNTU, rootDevice: "/dev/sda1", minDisk: expect.any(Number) },
      gpuX64: { id: DEEP, rootDevice: "/dev/sda1", minDisk: expect.any(Number) },
    });
  });

  test("the catalog makes offers, and passes the doctor but for its quotas", () => {
    expect(offers(catalog, { accelerators: { A10G: 1 } }).offers[0]).toMatchObject({ instanceType: "g5.xlarge" });
    expect(offers(catalog, { accelerators: { H100: 8 } })).toMatchObject({
      offers: [],
      reason: expect.stringContaining("Running On-Demand P instances"),
    });
    const failed = checks(catalog, NOW).filter(check => !check.ok);
    expect(failed.map(check => check.name)).toEqual(["quota of P machines"]);
    expect(catalog.problems).toEqual([]);
  });

  test("moto was asked nothing that it does not have, and spot prices of now only", async () => {
    await refresh(source, {}, NOW);
    expect(edge.unimplemented).toEqual([]);
    const spot = edge.log.find(call => call.operation === "DescribeSpotPriceHistory");
    expect(new URLSearchParams(spot?.body).get("StartTime")).toMatch(/^2026-01-01T00:00:00/);
    expect(edge.log.map(call => call.status)).toEqual(edge.log.map(() => 200));
  });
});

describe("the network", () => {
  test("is the default VPC, with its subnets in order", () => {
    expect(catalog.network?.vpc).toMatch(/^vpc-/);
    expect(catalog.network?.subnets.length).toBe(6);
    expect(catalog.network?.subnets.every(subnet => subnet.public && subnet.assigns && !subnet.egress)).toBe(true);
  });

  test("is the one that the deployment names, with what its routes allow", async () => {
    const { Vpc } = await raw.send(new Ec2.CreateVpcCommand({ CidrBlock: "10.0.0.0/16" }));
    const vpc = Vpc!.VpcId!;
    const [open, inner, closed] = await subnetsOf(vpc);
    const { InternetGateway } = await raw.send(new Ec2.CreateInternetGatewayCommand({}));
    const gateway = InternetGateway!.InternetGatewayId!;
    await raw.send(new Ec2.AttachInternetGatewayCommand({ InternetGatewayId: gateway, VpcId: vpc }));
    await route(vpc, open!, { GatewayId: gateway });
    const { NatGateway } = await raw.send(new Ec2.CreateNatGatewayCommand({ SubnetId: open! }));
    await route(vpc, inner!, { NatGatewayId: NatGateway!.NatGatewayId! });

    const named = { vpc, subnets: [open!, inner!, closed!, "subnet-0"] };
    const { network, problems } = await refresh(source, { network: named }, NOW);
    expect(network?.vpc).toBe(vpc);
    const seen = new Map(network?.subnets.map(subnet => [subnet.id, subnet]));
    expect(seen.get(open!)).toMatchObject({ public: true, egress: false, assigns: false, zone: "us-east-1a" });
    expect(seen.get(inner!)).toMatchObject({ public: false, egress: true });
    expect(seen.get(closed!)).toMatchObject({ public: false, egress: false });
    expect(problems.map(problem => problem.message)).toEqual([
      `VPC ${vpc} has no subnet subnet-0`,
      expect.stringContaining(`no way out to the internet from subnet ${closed}`),
    ]);
  });

  test("of the account's own has what was tagged for this deployment, in any VPC", async () => {
    const { Vpc } = await raw.send(new Ec2.CreateVpcCommand({ CidrBlock: "10.0.0.0/16" }));
    const vpc = Vpc!.VpcId!;
    const [inner, other] = await subnetsOf(vpc);
    const { NatGateway } = await raw.send(new Ec2.CreateNatGatewayCommand({ SubnetId: other! }));
    await route(vpc, inner!, { NatGatewayId: NatGateway!.NatGatewayId! });
    const groups = ["mine", "theirs"].map(name =>
      raw.send(new Ec2.CreateSecurityGroupCommand({ GroupName: name, Description: name, VpcId: vpc })),
    );
    const [mine, theirs] = (await Promise.all(groups)).map(({ GroupId }) => GroupId!);
    const tag = (Value: string, ...Resources: string[]) =>
      raw.send(new Ec2.CreateTagsCommand({ Resources, Tags: [{ Key: "muster:use", Value }] }));
    await tag("app-test", inner!, mine!);
    await tag("another", other!, theirs!);
    const { own } = await refresh(source, {}, NOW);
    await raw.send(new Ec2.DeleteTagsCommand({ Resources: [inner!, mine!], Tags: [{ Key: "muster:use" }] }));
    expect(own).toEqual({
      deployment: "app-test",
      subnets: [{ id: inner, zone: "us-east-1a", vpc, public: false, assigns: false, egress: true }],
      securityGroups: [{ id: mine, vpc }],
    });
    expect(catalog.own).toEqual({ deployment: "app-test", subnets: [], securityGroups: [] });
  });

  async function subnetsOf(vpc: string): Promise<string[]> {
    const made = ["a", "b", "c"].map((letter, index) =>
      raw.send(
        new Ec2.CreateSubnetCommand({
          VpcId: vpc,
          CidrBlock: `10.0.${index}.0/24`,
          AvailabilityZone: `us-east-1${letter}`,
        }),
      ),
    );
    return (await Promise.all(made)).map(({ Subnet }) => Subnet!.SubnetId!);
  }

  async function route(vpc: string, subnet: string, to: { GatewayId?: string; NatGatewayId?: string }): Promise<void> {
    const { RouteTable } = await raw.send(new Ec2.CreateRouteTableCommand({ VpcId: vpc }));
    const table = RouteTable!.RouteTableId!;
    await raw.send(new Ec2.AssociateRouteTableCommand({ RouteTableId: table, SubnetId: subnet }));
    await raw.send(new Ec2.CreateRouteCommand({ RouteTableId: table, DestinationCidrBlock: "0.0.0.0/0", ...to }));
  }

  test("without a default VPC there is none, and it says how to get one", async () => {
    const from = new Ec2.EC2Client({ endpoint: moto.url, region: "eu-west-1", credentials });
    const { Vpcs } = await from.send(new Ec2.DescribeVpcsCommand({}));
    const { Subnets } = await from.send(new Ec2.DescribeSubnetsCommand({}));
    for (const { SubnetId } of Subnets!) await from.send(new Ec2.DeleteSubnetCommand({ SubnetId }));
    for (const { VpcId } of Vpcs!) await from.send(new Ec2.DeleteVpcCommand({ VpcId }));
    from.destroy();
    const made = await refresh(sourceOf("eu-west-1"), {}, NOW);
    expect(made.network).toBeUndefined();
    expect(made.problems).toEqual([
      expect.objectContaining({ part: "network", message: expect.stringContaining("no default VPC") }),
    ]);
    expect(offers(made, {})).toMatchObject({ offers: [], hint: expect.stringContaining("create-default-vpc") });
  });
});

describe("a part that fails", () => {
  const denied = (on: string) => ({
    on,
    kind: "error" as const,
    code: on.startsWith("ec2") ? "UnauthorizedOperation" : "AccessDeniedException",
    status: on.startsWith("ec2") ? 403 : 400,
    message: "You are not authorized to perform this operation.",
    times: Number.POSITIVE_INFINITY,
  });

  test.each([
    ["pricing.GetProducts", "prices", "allow pricing:GetProducts to the role of the function cron"],
    ["ec2.DescribeInstanceTypes", "types", "allow ec2:DescribeInstanceTypes to the role of the function cron"],
    ["ec2.DescribeInstanceTypeOfferings", "zones", /DescribeInstanceTypeOfferings/],
    ["ec2.DescribeSpotPriceHistory", "spot", /DescribeSpotPriceHistory/],
    ["servicequotas.ListServiceQuotas", "quotas", /ListServiceQuotas/],
    ["ec2.DescribeRouteTables", "network", /DescribeRouteTables/],
    ["ssm.GetParameters", "images", /ssm:GetParameters/],
  ])("%s keeps what was known, and says what to allow", async (operation, part, fix) => {
    edge.inject(denied(operation));
    const next = await refresh(source, {}, NOW + 1, catalog);
    expect(next).toEqual({
      ...catalog,
      refreshedAt: NOW + 1,
      problems: [{ part, message: expect.stringContaining(operation.split(".")[1]!), fix: expect.stringMatching(fix) }],
    });
  });

  test("a first catalog without prices offers nothing on demand, and says why", async () => {
    edge.inject(denied("pricing.GetProducts"));
    const first = await refresh(source, {}, NOW);
    expect(first.types.length).toBe(catalog.types.length);
    expect(offers(first, { instanceType: "g5.xlarge" })).toMatchObject({
      offers: [],
      reason: expect.stringContaining("AccessDeniedException"),
      hint: "allow pricing:GetProducts to the role of the function cron",
    });
  });

  test("the parts of another region are not kept", async () => {
    edge.inject(denied("servicequotas.ListServiceQuotas"));
    const other = await refresh(source, {}, NOW, { ...catalog, region: "eu-west-1" });
    expect(other.quotas).toEqual({});
  });

  test("a call that is throttled once is made again", async () => {
    edge.inject({ on: "ec2.DescribeInstanceTypes", kind: "throttle" }, { on: "pricing.GetProducts", kind: "throttle" });
    expect((await refresh(source, {}, NOW)).problems).toEqual([]);
  });
});
