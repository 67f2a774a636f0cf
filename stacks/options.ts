/**
 * What whoever deploys may choose: environment variables, which SST also reads from `.env` and `.env.<stage>`, so that
 * each stage keeps its own beside the code. A name that begins so and is not listed here is refused as a slip.
 *
 * | variable                           | what                                                                    |
 * |------------------------------------|-------------------------------------------------------------------------|
 * | MUSTER_DEPLOY_REGION               | AWS region; else AWS_REGION, else us-east-1                             |
 * | MUSTER_DEPLOY_BOUNDARY             | ARN of the policy that bounds every role                                |
 * | MUSTER_DEPLOY_VPC, _SUBNETS        | an existing network for hosts: a VPC's id, subnet ids between commas    |
 * | MUSTER_DEPLOY_KMS_KEY              | ARN of a key for all that is stored. Its policy must let the services   |
 * |                                    | logs, delivery.logs, events, scheduler and cloudwatch use it            |
 * | MUSTER_DEPLOY_TAGS                 | mandatory tags, `name=value` between commas, at most seven              |
 * | MUSTER_DEPLOY_RESERVED_CONCURRENCY | `on`: each function keeps a share of the account's concurrency          |
 * | MUSTER_DEPLOY_ALARM_EMAIL          | who is told of alarms                                                   |
 * | MUSTER_DEPLOY_LOG_DAYS             | how long logs of jobs are kept; 90 when absent                          |
 * | MUSTER_DEPLOY_OUTBOUND_ALLOW       | hosts and networks, between commas, that webhooks and hooks may reach   |
 * |                                    | beside what is open to everybody, such as a forge of your own           |
 * | MUSTER_DEPLOY_ORIGINS              | https origins, between commas, whose pages may upload and read logs     |
 *
 * SST evaluates this before it can show errors of ours: `--print-logs` shows them.
 */
import * as z from "zod";

const PREFIX = "MUSTER_DEPLOY_";
const between = (text: string): string[] =>
  text
    .split(",")
    .map(part => part.trim())
    .filter(part => part !== "");
const matching = (pattern: RegExp, example: string) => z.string().regex(pattern, `must look like ${example}`);
const several = <T extends z.ZodType<unknown, string>>(one: T) =>
  z.string().transform(between).pipe(z.array(one).min(1, "names nothing"));

const Tag = z.string().regex(/^[\w.:/@+-]{1,128}=.{0,256}$/, "is not name=value");
// An object in S3 has at most ten tags, and three are not the deployer's: sst:app, sst:stage and muster:deployment.
const tags = several(Tag.regex(/^(?!aws:|muster:|sst:)/i, "has a reserved prefix"))
  .refine(pairs => pairs.length <= 7, "at most seven tags fit on everything")
  .transform(pairs => Object.fromEntries(pairs.map(pair => [pair.split("=")[0], pair.slice(pair.indexOf("=") + 1)])));

const Options = z
  .strictObject({
    REGION: matching(/^[a-z]{2}(-[a-z]+)+-\d$/, "eu-central-1"),
    BOUNDARY: matching(
      /^arn:[\w-]+:iam::(\d{12}|aws):policy\/[\w+=,.@/-]+$/,
      "arn:aws:iam::123456789012:policy/bound",
    ).optional(),
    VPC: matching(/^vpc-[0-9a-f]+$/, "vpc-0123456789abcdef0").optional(),
    SUBNETS: several(matching(/^subnet-[0-9a-f]+$/, "subnet-0123456789abcdef0")).optional(),
    KMS_KEY: matching(
      /^arn:[\w-]+:kms:[\w-]+:\d{12}:key\/[\w-]+$/,
      "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-…",
    ).optional(),
    TAGS: tags.default({}),
    RESERVED_CONCURRENCY: z.enum(["on", "off"]).default("off"),
    ALARM_EMAIL: z.email().optional(),
    LOG_DAYS: z.coerce.number().int().min(1).max(3650).default(90),
    OUTBOUND_ALLOW: several(matching(/^[a-z0-9*_.:-]+(\/\d{1,3})?$/i, "git.example.com or 203.0.113.0/24")).default([]),
    ORIGINS: several(matching(/^https:\/\/[a-z0-9.-]+(:\d+)?$/, "https://muster.example.com")).default([]),
  })
  .refine(({ VPC, SUBNETS }) => (VPC === undefined) === (SUBNETS === undefined), "VPC and SUBNETS go together");

export interface Options {
  readonly region: string;
  readonly boundary?: string | undefined;
  readonly network?: { readonly vpc: string; readonly subnets: string[] } | undefined;
  readonly kmsKey?: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly reservedConcurrency: boolean;
  readonly alarmEmail?: string | undefined;
  readonly logDays: number;
  readonly outboundAllow: string[];
  readonly origins: string[];
}

/** @throws Error that names each variable that is wrong, and how. An empty variable is an absent one. */
export function read(env: Readonly<Record<string, string | undefined>>): Options {
  const given = Object.entries(env).filter(([name, value]) => name.startsWith(PREFIX) && value?.trim());
  const REGION = env.AWS_REGION?.trim() || "us-east-1";
  const named = Object.fromEntries(given.map(([name, value]) => [name.slice(PREFIX.length), value]));
  const parsed = Options.safeParse({ REGION, ...named });
  if (!parsed.success) {
    const wrong = parsed.error.issues.map(({ path, message }) => `  ${PREFIX}${path.join(".")}: ${message}`);
    throw new Error(`the deployment's options are wrong:\n${wrong.join("\n")}`);
  }
  const { data } = parsed;
  return {
    region: data.REGION,
    boundary: data.BOUNDARY,
    network: data.VPC && data.SUBNETS ? { vpc: data.VPC, subnets: data.SUBNETS } : undefined,
    kmsKey: data.KMS_KEY,
    tags: data.TAGS,
    reservedConcurrency: data.RESERVED_CONCURRENCY === "on",
    alarmEmail: data.ALARM_EMAIL,
    logDays: data.LOG_DAYS,
    outboundAllow: data.OUTBOUND_ALLOW,
    origins: data.ORIGINS,
  };
}
