/**
 * What each function of a deployment may do in AWS: one table, as data. The stacks make roles from it, tests hold the
 * roles against it, and `muster iam print` shows it. Action names, resource types and condition keys are those of AWS's
 * Service Authorization Reference. Nothing here is a wildcard action; whatever changes something names its resource, or
 * demands the tag of this deployment, or both.
 */
import { launching, moving } from "./grants/ec2.ts";
import { type Grant, tagged } from "./grants/grant.ts";
import { resolve, type Statement } from "./grants/statement.ts";
import { DEPLOYMENT_TAG, type Deployment, type FunctionName } from "./places.ts";

export { policyOf } from "./grants/policy.ts";
export { roleStatementsOf, roles } from "./grants/roles.ts";

/** Every function. */
const common: readonly Grant[] = [
  {
    actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
    on: ["own-logs"],
    why: "It writes its own log, into a group that the deployment made.",
  },
  {
    actions: [
      "dynamodb:GetItem",
      "dynamodb:Query",
      "dynamodb:PutItem",
      "dynamodb:DeleteItem",
      "dynamodb:ConditionCheckItem",
    ],
    on: ["table"],
    why: "Records are read, and written under conditions; IAM checks the parts of a transaction as these.",
  },
  { actions: ["dynamodb:Query"], on: ["table/index"], why: "Lists, deadlines and relations are read by an index." },
  {
    actions: [
      "kms:Decrypt",
      "kms:Encrypt",
      "kms:GenerateDataKey",
      "kms:GenerateDataKeyWithoutPlaintext",
      "kms:DescribeKey",
      "kms:ReEncryptFrom",
      "kms:ReEncryptTo",
    ],
    on: ["kms-key"],
    why: "Table, bucket, queues, disks, secrets and settings are encrypted with the deployment's key.",
  },
  {
    actions: ["kms:CreateGrant"],
    on: ["kms-key"],
    when: [{ test: "Bool", variable: "kms:GrantIsForAWSResource", values: ["true"] }],
    why: "DynamoDB and EC2 use the key for the table and for disks by a grant of the caller's.",
  },
];

const listed: Grant = {
  actions: ["s3:ListBucket"],
  on: ["bucket"],
  why: "Chunks of a log are found by their prefix; and without it S3 says forbidden where a blob is absent.",
};

const forgets: Grant = {
  actions: ["ssm:DeleteParameter"],
  on: ["secrets"],
  why: "Secrets of a job that has ended, or was not made, are forgotten.",
};

const api: readonly Grant[] = [
  ...common,
  listed,
  {
    actions: ["ssm:PutParameter", "ssm:AddTagsToResource"],
    on: ["secrets"],
    why: "It keeps the secrets of jobs, encrypted and tagged; it cannot read them.",
  },
  forgets,
  {
    actions: ["s3:GetObject"],
    on: ["bucket/logs", "bucket/outputs", "bucket/checkpoints", "bucket/catalog"],
    why: "It signs URLs of logs and of what jobs have kept, and reads the catalog.",
  },
  { actions: ["s3:GetObject", "s3:PutObject"], on: ["bucket/uploads"], why: "It signs permissions to upload." },
];

const admin: readonly Grant[] = [
  ...common,
  listed,
  {
    actions: ["s3:GetObject"],
    on: ["bucket/catalog"],
    why: "It tells what machines there are, and whether all is ready.",
  },
];

const agent: readonly Grant[] = [
  ...common,
  listed,
  { actions: ["ssm:GetParameter"], on: ["secrets"], why: "It hands a job's secrets to the hosts that run it." },
  { actions: ["s3:GetObject"], on: ["bucket/uploads", "bucket/runtime"], why: "It signs URLs of what hosts fetch." },
  { actions: ["s3:GetObject", "s3:PutObject"], on: ["bucket/logs"], why: "It signs permissions to ship logs." },
  { actions: ["s3:PutObject"], on: ["bucket/outputs"], why: "It signs permissions to keep outputs." },
  {
    actions: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
    on: ["bucket/checkpoints"],
    why: "It signs permissions to keep checkpoints, and URLs to go on from them; what a newer one replaces is deleted.",
  },
];

/** The functions that make and end machines. */
const fleet: readonly Grant[] = [
  ...common,
  ...launching,
  ...moving,
  {
    actions: ["ec2:StartInstances", "ec2:StopInstances", "ec2:TerminateInstances", "ec2:ModifyInstanceAttribute"],
    on: ["instance"],
    when: [tagged],
    why: "It starts, stops and ends machines of this deployment, and sets what a power-off does to them.",
  },
  {
    actions: ["ec2:GetConsoleOutput"],
    on: ["instance"],
    when: [tagged],
    why: "A machine that never called home is asked for its console.",
  },
  {
    actions: [
      "ec2:DescribeCapacityReservations",
      "ec2:DescribeImages",
      "ec2:DescribeInstanceTypeOfferings",
      "ec2:DescribeInstanceTypes",
      "ec2:DescribeInstances",
      "ec2:DescribePlacementGroups",
      "ec2:DescribeRouteTables",
      "ec2:DescribeSecurityGroups",
      "ec2:DescribeSnapshots",
      "ec2:DescribeSpotPriceHistory",
      "ec2:DescribeSubnets",
      "ec2:DescribeVpcs",
    ],
    on: ["any"],
    why: "It looks at what there is; EC2 knows no resources for these.",
  },
  { actions: ["ssm:SendCommand"], on: ["kick-document"], why: "It runs one document, which takes no parameters." },
  {
    actions: ["ssm:SendCommand"],
    on: ["instance"],
    when: [{ ...tagged, variable: `ssm:resourceTag/${DEPLOYMENT_TAG}` }],
    why: "It runs that document on machines of this deployment.",
  },
  {
    actions: ["ssm:GetParameter", "ssm:GetParameters"],
    on: ["public-parameters"],
    why: "AWS publishes the newest images as parameters.",
  },
  listed,
  {
    actions: ["s3:GetObject"],
    on: ["bucket/logs", "bucket/catalog"],
    why: "It looks for a job's last chunk, and at the catalog.",
  },
];

/** Of what Lambda reads the table's stream for. */
const streamed: readonly Grant[] = [
  {
    actions: ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
    on: ["table/stream"],
    why: "Lambda reads the table's stream in its name.",
  },
  {
    actions: ["dynamodb:ListStreams"],
    on: ["any"],
    why: "Lambda looks for the stream; DynamoDB knows no resource for it.",
  },
  { actions: ["sqs:SendMessage"], on: ["dead-letters"], why: "What the stream could not deliver is kept." },
];

export const grants: Readonly<Record<FunctionName, readonly Grant[]>> = {
  api,
  // What schedules and pools launch is what `api` launches.
  config: api,
  admin,
  // It asks those who vouch for people and programs; none of them is in AWS.
  signin: common,
  // It keeps what it is sent, and nothing else.
  hooks: common,
  agent,
  lifecycle: fleet,
  doorbell: [
    ...fleet,
    forgets,
    ...streamed,
    { actions: ["states:StartExecution"], on: ["machines"], why: "It starts what drives a cluster up or down." },
    {
      actions: ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
      on: ["rings"],
      why: "Rings that failed are tried again from a queue, which Lambda reads in its name.",
    },
  ],
  outbox: [
    ...common,
    ...streamed,
    {
      actions: ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
      on: ["deliveries"],
      why: "What is to be sent outside waits in a queue, which Lambda reads in its name.",
    },
    {
      actions: ["ssm:GetParameter"],
      on: ["secrets"],
      why: "It calls forges with the tokens that the workspace stored for that.",
    },
    forgets,
    listed,
    {
      actions: ["s3:GetObject"],
      on: ["bucket/logs", "bucket/catalog"],
      why: "It quotes the end of a job's log, and launches what hooks were sent for.",
    },
    {
      actions: ["s3:GetObject", "s3:PutObject"],
      on: ["bucket/audit"],
      why: "It writes the audit of each day, and of lines that come late reads which are there.",
    },
  ],
  events: [...fleet, { actions: ["sqs:SendMessage"], on: ["dead-letters"], why: "An event that failed is kept." }],
  cron: [
    ...fleet,
    forgets,
    {
      actions: ["ssm:DescribeParameters"],
      on: ["any"],
      why: "It looks for secrets that were left behind: their names, no values; SSM knows no resource for this.",
    },
    { actions: ["sqs:SendMessage"], on: ["dead-letters"], why: "A duty that failed is kept." },
    {
      actions: ["ec2:DeleteSecurityGroup"],
      on: ["security-group"],
      when: [tagged],
      why: "The security group of a workspace that has had no cluster for a day is deleted.",
    },
    { actions: ["s3:PutObject"], on: ["bucket/catalog"], why: "It writes the catalog." },
    {
      actions: ["pricing:GetProducts", "servicequotas:ListServiceQuotas", "servicequotas:ListAWSDefaultServiceQuotas"],
      on: ["any"],
      why: "The catalog has prices and quotas; these are read-only.",
    },
  ],
};

/** What a function may do in one deployment. */
export const statementsOf = (name: FunctionName, at: Deployment): Statement[] => resolve(grants[name], at, name);
