/** Where machines are put: the network that the deployment names, else the region's default VPC. */
import {
  DescribeRouteTablesCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
  type Route,
  type RouteTable,
  type Subnet as Told,
} from "@aws-sdk/client-ec2";
import { answerOf, type Ec2 } from "../ec2/client.ts";
import type { Fleet } from "../settings.ts";
import type { Network, Problem, Subnet } from "./catalog.ts";

export interface Found {
  readonly network?: Network;
  readonly problems: readonly Problem[];
}

/** Subnets per page; a VPC has 200 at most unless AWS was asked for more. */
const PAGE = 1000;

/** @throws Fault */
export async function network(ec2: Pick<Ec2, "reads">, named: Fleet["network"]): Promise<Found> {
  const vpc = named?.vpc ?? (await defaultVpc(ec2));
  if (vpc === undefined) return { problems: [NO_VPC] };
  const filters = [{ Name: "vpc-id", Values: [vpc] }];
  const [subnets, tables] = await Promise.all([
    answerOf(
      "DescribeSubnets",
      ec2.reads.send(new DescribeSubnetsCommand({ Filters: filters, MaxResults: PAGE })),
    ).then(page => page.Subnets ?? []),
    answerOf(
      "DescribeRouteTables",
      ec2.reads.send(new DescribeRouteTablesCommand({ Filters: filters, MaxResults: 100 })),
    ).then(page => page.RouteTables ?? []),
  ]);
  const known = subnets.flatMap(told => subnetOf(told, tables) ?? []).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return named === undefined ? ofDefault(vpc, known) : ofNamed(named, known);
}

const NO_VPC: Problem = {
  part: "network",
  message: "the account has no default VPC in this region",
  fix: "create one (aws ec2 create-default-vpc), or name a VPC and its subnets in the deployment's network settings",
};

async function defaultVpc(ec2: Pick<Ec2, "reads">): Promise<string | undefined> {
  const command = new DescribeVpcsCommand({ Filters: [{ Name: "is-default", Values: ["true"] }] });
  const { Vpcs = [] } = await answerOf("DescribeVpcs", ec2.reads.send(command));
  return Vpcs[0]?.VpcId;
}

/** Of the default VPC's subnets, those from which a machine reaches the control plane. */
function ofDefault(vpc: string, known: readonly Subnet[]): Found {
  const usable = known.filter(reaches);
  if (usable.length > 0) return { network: { vpc, subnets: usable }, problems: [] };
  const message = `no subnet of the default VPC ${vpc} has a way out to the internet`;
  return { network: { vpc, subnets: [] }, problems: [{ part: "network", message, fix: WAY_OUT }] };
}

const WAY_OUT = "give its route table a route to an internet gateway or a NAT gateway";

const reaches = (subnet: Subnet): boolean => subnet.public || subnet.egress;

/** All that the deployment names: whoever names a subnet without a way out may have endpoints in it. */
function ofNamed(named: NonNullable<Fleet["network"]>, known: readonly Subnet[]): Found {
  const subnets = known.filter(({ id }) => named.subnets.includes(id));
  const missing = named.subnets.filter(id => !subnets.some(subnet => subnet.id === id));
  const closed = subnets.filter(subnet => !reaches(subnet)).map(({ id }) => id);
  const problems: Problem[] = [];
  if (missing.length > 0)
    problems.push({
      part: "network",
      message: `VPC ${named.vpc} has no subnet ${missing.join(", ")}`,
      fix: "correct the deployment's network settings",
    });
  if (closed.length > 0)
    problems.push({
      part: "network",
      message: `no way out to the internet from subnet ${closed.join(", ")}: machines there reach the control plane only through VPC endpoints`,
      fix: WAY_OUT,
    });
  return { network: { vpc: named.vpc, subnets }, problems };
}

/** Undefined for one that is not there yet. @param tables of its VPC */
export function subnetOf(told: Told, tables: readonly RouteTable[]): Subnet | undefined {
  const { SubnetId: id, AvailabilityZone: zone, MapPublicIpOnLaunch: assigns = false } = told;
  if (id === undefined || zone === undefined || told.State === "pending") return undefined;
  const way = defaultRoute(id, tables);
  const gateway = way?.GatewayId ?? "";
  const open = gateway.startsWith("igw-");
  // A subnet that gives out public addresses is meant for the internet, even where its route cannot be seen.
  return { id, zone, assigns, public: open || (way === undefined && assigns), egress: way !== undefined && !open };
}

/** The route to everywhere of the subnet's own table, else of the VPC's main one. Routes that lead nowhere do not count. */
function defaultRoute(subnet: string, tables: readonly RouteTable[]): Route | undefined {
  const own = tables.find(table => table.Associations?.some(one => one.SubnetId === subnet));
  const main = tables.find(table => table.Associations?.some(one => one.Main === true));
  return (own ?? main)?.Routes?.find(
    route => route.DestinationCidrBlock === "0.0.0.0/0" && route.State !== "blackhole",
  );
}
