/** What spot capacity costs now, by type and zone. */
import { DescribeSpotPriceHistoryCommand, type RIProductDescription, type SpotPrice } from "@aws-sdk/client-ec2";
import { answerOf, type Ec2 } from "../ec2/client.ts";

/** Rows per page; the most that EC2 gives. */
const PAGE = 1000;
/** Accounts from the time before VPC know Linux by the second name. */
const LINUX: RIProductDescription[] = ["Linux/UNIX", "Linux/UNIX (Amazon VPC)"];

/** Type to zone to US dollars per hour. A history that starts now holds the prices of now. @throws Fault */
export async function spot(
  ec2: Pick<Ec2, "reads">,
  now: number,
): Promise<ReadonlyMap<string, Readonly<Record<string, number>>>> {
  const rows: SpotPrice[] = [];
  let next: string | undefined;
  do {
    const command = new DescribeSpotPriceHistoryCommand({
      StartTime: new Date(now),
      ProductDescriptions: LINUX,
      MaxResults: PAGE,
      NextToken: next,
    });
    const page = await answerOf("DescribeSpotPriceHistory", ec2.reads.send(command));
    rows.push(...(page.SpotPriceHistory ?? []));
    next = page.NextToken;
  } while (next);
  return latest(rows);
}

/** The newest price of each type and zone. */
export function latest(rows: readonly SpotPrice[]): ReadonlyMap<string, Readonly<Record<string, number>>> {
  const at = (row: SpotPrice): number => row.Timestamp?.getTime() ?? 0;
  const found = new Map<string, Record<string, number>>();
  for (const row of rows.toSorted((a, b) => at(a) - at(b))) {
    const price = Number(row.SpotPrice);
    if (row.InstanceType === undefined || row.AvailabilityZone === undefined || !(price > 0)) continue;
    found.set(row.InstanceType, { ...found.get(row.InstanceType), [row.AvailabilityZone]: price });
  }
  return found;
}
