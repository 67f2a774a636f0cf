/** How many vCPUs the account may run, by quota. */
import * as z from "zod";
import type { Aws } from "../call/aws.ts";
import { json } from "../call/json.ts";
import { QUOTAS } from "./families.ts";

const PAGE = 100;
/** EC2 has two or three pages of quotas; more than this means that the tokens go round. */
const MOST_PAGES = 30;

const Page = z.object({
  Quotas: z.array(z.object({ QuotaCode: z.string(), Value: z.number() })).default([]),
  NextToken: z.string().optional(),
});

type Values = Readonly<Record<string, number>>;

/** Quota code to vCPUs: the account's own values, and AWS's defaults for those that it does not list. @throws Fault */
export async function quotas(aws: Aws): Promise<Values> {
  const own = await list(aws, "ListServiceQuotas");
  if (QUOTAS.every(({ code }) => own[code] !== undefined)) return own;
  return { ...(await list(aws, "ListAWSDefaultServiceQuotas")), ...own };
}

async function list(aws: Aws, operation: string): Promise<Values> {
  const wanted = new Set(QUOTAS.map(({ code }) => code));
  const found: [string, number][] = [];
  let next: string | undefined;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const input = { ServiceCode: "ec2", MaxResults: PAGE, ...(next && { NextToken: next }) };
    const page = Page.parse(await json(aws, "servicequotas", operation, input));
    found.push(...page.Quotas.map(({ QuotaCode, Value }): [string, number] => [QuotaCode, Value]));
    next = page.NextToken;
    if (!next) break;
  }
  return Object.fromEntries(found.filter(([code]) => wanted.has(code)));
}
