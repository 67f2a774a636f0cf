/** What machines cost on demand: AWS's price list, Linux without licences, on shared hardware. */
import * as z from "zod";
import type { Aws } from "../call/aws.ts";
import { json } from "../call/json.ts";

/** Products per page; the most that it gives. */
const PAGE = 100;
/** A region has some twelve pages; more than this means that the tokens go round. */
const MOST_PAGES = 100;

const Page = z.object({ PriceList: z.array(z.string()).default([]), NextToken: z.string().optional() });

/** Every price of a product is a dimension of a term, and both hang on keys of their own. */
const Product = z.object({
  product: z.object({ attributes: z.object({ instanceType: z.string(), marketoption: z.string().optional() }) }),
  terms: z.object({
    OnDemand: z.record(
      z.string(),
      z.object({
        priceDimensions: z.record(
          z.string(),
          z.object({ unit: z.string(), pricePerUnit: z.object({ USD: z.string().optional() }) }),
        ),
      }),
    ),
  }),
});

/** Type to US dollars per hour. @throws Fault */
export async function prices(aws: Aws): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  let next: string | undefined;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const input = { ServiceCode: "AmazonEC2", FormatVersion: "aws_v1", Filters: filters(aws.region), MaxResults: PAGE };
    const answer = await json(aws, "pricing", "GetProducts", { ...input, ...(next && { NextToken: next }) });
    const page = Page.parse(answer);
    for (const text of page.PriceList) add(found, text);
    next = page.NextToken;
    if (!next) break;
  }
  return found;
}

const filters = (region: string): readonly object[] =>
  Object.entries({
    regionCode: region,
    operatingSystem: "Linux",
    preInstalledSw: "NA",
    tenancy: "Shared",
    capacitystatus: "Used",
    licenseModel: "No License required",
  }).map(([Field, Value]) => ({ Type: "TERM_MATCH", Field, Value }));

/** A product that is told in another way is left out: its type has no price then, and is not offered. */
function add(found: Map<string, number>, text: string): void {
  const read = Product.safeParse(objectOf(text));
  if (!read.success) return;
  const { instanceType, marketoption = "OnDemand" } = read.data.product.attributes;
  if (marketoption !== "OnDemand") return;
  const rates = Object.values(read.data.terms.OnDemand).flatMap(term => Object.values(term.priceDimensions));
  const hourly = rates.filter(rate => rate.unit === "Hrs").map(rate => Number(rate.pricePerUnit.USD));
  const price = Math.max(0, ...hourly.filter(amount => amount > 0));
  // Two products of one type, which the filters should prevent: the dearer one keeps every ceiling.
  if (price > 0) found.set(instanceType, Math.max(price, found.get(instanceType) ?? 0));
}

function objectOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Not JSON: the same as another shape.
  }
}
