/** The account's own subnets and security groups that tasks may name: those that bear the tag by which they are given free. */
import {
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  type Subnet as Told,
} from "@aws-sdk/client-ec2";
import { answerOf, type Ec2 } from "../ec2/client.ts";
import { withTag } from "../ec2/tags.ts";
import { USE_TAG } from "../places.ts";
import type { Own } from "./catalog.ts";
import { subnetOf } from "./network.ts";

/** Of each; more than that nobody tags by hand. */
const MOST = 200;
/** Route tables per page; the most that EC2 gives. */
const PAGE = 100;

/** @throws Fault */
export async function own({ reads }: Pick<Ec2, "reads">, deployment: string): Promise<Own> {
  const Filters = [withTag(USE_TAG, deployment)];
  const [subnets, groups] = await Promise.all([
    answerOf("DescribeSubnets", reads.send(new DescribeSubnetsCommand({ Filters, MaxResults: MOST }))),
    answerOf("DescribeSecurityGroups", reads.send(new DescribeSecurityGroupsCommand({ Filters, MaxResults: MOST }))),
  ]);
  const securityGroups = (groups.SecurityGroups ?? []).flatMap(({ GroupId: id, VpcId: vpc }) =>
    id === undefined || vpc === undefined ? [] : [{ id, vpc }],
  );
  return { deployment, subnets: await told({ reads }, subnets.Subnets ?? []), securityGroups };
}

async function told({ reads }: Pick<Ec2, "reads">, subnets: readonly Told[]): Promise<Own["subnets"]> {
  const vpcs = [...new Set(subnets.flatMap(({ VpcId: vpc }) => vpc ?? []))];
  if (vpcs.length === 0) return [];
  const command = new DescribeRouteTablesCommand({ Filters: [{ Name: "vpc-id", Values: vpcs }], MaxResults: PAGE });
  const { RouteTables: tables = [] } = await answerOf("DescribeRouteTables", reads.send(command));
  const found = subnets.flatMap(one => {
    const vpc = one.VpcId ?? "";
    const subnet = subnetOf(
      one,
      tables.filter(table => table.VpcId === vpc),
    );
    return subnet === undefined ? [] : [{ ...subnet, vpc }];
  });
  return found.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
