/** Where each machine type is offered. */
import { DescribeInstanceTypeOfferingsCommand } from "@aws-sdk/client-ec2";
import { answerOf, type Ec2 } from "../ec2/client.ts";

/** Rows per page; the most that EC2 gives. */
const PAGE = 1000;

/** Type to the zones that have it, in order. @throws Fault */
export async function zones(ec2: Pick<Ec2, "reads">): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>();
  let next: string | undefined;
  do {
    const command = new DescribeInstanceTypeOfferingsCommand({
      LocationType: "availability-zone",
      MaxResults: PAGE,
      NextToken: next,
    });
    const page = await answerOf("DescribeInstanceTypeOfferings", ec2.reads.send(command));
    for (const { InstanceType: type, Location: zone } of page.InstanceTypeOfferings ?? []) {
      if (type === undefined || zone === undefined) continue;
      found.set(type, [...(found.get(type) ?? []), zone]);
    }
    next = page.NextToken;
  } while (next);
  return new Map([...found].map(([type, places]) => [type, places.toSorted()]));
}
