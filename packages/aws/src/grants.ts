/**
 * What each function of a deployment may do in AWS: one table, as data. The stacks make roles from it, tests hold the
 * roles against it, and `muster iam print` shows it. Action names, resource types and condition keys are those of AWS's
 * Service Authorization Reference. Nothing here is a wildcard action; whatever changes something names its resource, or
 * demands the tag of this deployment, or both.
 */
import { DEPLOYMENT_TAG, type Deployment, type FunctionName, type Place, places } from "./places.ts";

/** As SST and the IAM provider spell a condition; `{deployment}` in a value stands for the deployment's name. */
export interface Condition {
  readonly test: "StringEquals" | "Bool";
  readonly variable: string;
  readonly values: readonly string[];
}

export interface Grant {
  readonly actions: readonly string[];
  /** A grant whose places come to nothing, such as a key that no option named, is left out. */
  readonly on: readonly Place[];
  readonly when?: readonly Condition[];
  readonly why: string;
}

const tagged: Condition = {
  test: "StringEquals",
  variable: `aws:ResourceTag/${DEPLOYMENT_TAG}`,
  values: ["{deployment}"],
};
const tagging: Condition = {
  test: "StringEquals",
  variable: `aws:RequestTag/${DEPLOYMENT_TAG}`,
  values: ["{deployment}"],
};
const equals = (variable: string, ...values: readonly string[]): Condition => ({
  test: "StringEquals",
  variable,
  values,
});

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
    why: "Table, bucket, queues, disks and settings are encrypted with the deployment's key.",
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

const api: readonly Grant[] = [
  ...common,
  listed,
  {
    actions: ["s3:GetObject"],
    on: ["bucket/logs", "bucket/catalog"],
    why: "It signs URLs of logs, and reads the catalog.",
  },
  { actions: ["s3:GetObject", "s3:PutObject"], on: ["bucket/uploads"], why: "It signs permissions to upload." },
];

const agent: readonly Grant[] = [
  ...common,
  listed,
  { actions: ["s3:GetObject"], on: ["bucket/uploads", "bucket/runtime"], why: "It signs URLs of what hosts fetch." },
  { actions: ["s3:GetObject", "s3:PutObject"], on: ["bucket/logs"], why: "It signs permissions to ship logs." },
];

const launching: readonly Grant[] = [
  {
    actions: ["ec2:RunInstances"],
    on: ["instance"],
    when: [tagging, equals("ec2:MetadataHttpTokens", "required")],
    why: "It launches machines that bear the deployment's tag and have no IMDSv1.",
  },
  {
    actions: ["ec2:RunInstances"],
    on: ["volume", "network-interface"],
    when: [tagging],
    why: "Disks and interfaces of a machine bear the tag too.",
  },
  {
    actions: ["ec2:RunInstances"],
    on: ["security-group", "placement-group"],
    when: [tagged],
    why: "Machines join only groups of the deployment.",
  },
  {
    actions: ["ec2:RunInstances"],
    on: ["image", "snapshot", "subnet", "spot-instances-request", "capacity-reservation"],
    why: "A launch uses an image, its snapshots, a subnet, and a spot request or a reservation.",
  },
  {
    actions: ["ec2:CreateTags"],
    on: ["instance", "volume", "network-interface", "spot-instances-request", "security-group", "placement-group"],
    when: [equals("ec2:CreateAction", "RunInstances", "CreateSecurityGroup", "CreatePlacementGroup")],
    why: "Tags are given in the call that makes a thing, and by no other call: nothing can be tagged into reach.",
  },
  {
    actions: ["ec2:CreateSecurityGroup"],
    on: ["security-group"],
    when: [tagging],
    why: "A workspace has a security group.",
  },
  {
    actions: ["ec2:CreatePlacementGroup"],
    on: ["placement-group"],
    when: [tagging],
    why: "Machines that talk to each other a lot stand together.",
  },
  { actions: ["ec2:CreateSecurityGroup"], on: ["vpc"], why: "A security group is made in a network." },
  {
    actions: ["ec2:AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupEgress"],
    on: ["security-group"],
    when: [tagged],
    why: "A security group lets its own members talk to each other.",
  },
  {
    actions: ["ec2:DeletePlacementGroup"],
    on: ["placement-group"],
    when: [tagged],
    why: "A placement group goes with its cluster.",
  },
  {
    actions: ["iam:PassRole"],
    on: ["host-role", "job-roles"],
    when: [equals("iam:PassedToService", "ec2.amazonaws.com")],
    why: "Machines get the hosts' role, or a role for jobs that an administrator made for this.",
  },
  {
    actions: ["iam:CreateServiceLinkedRole"],
    on: ["spot-service-role"],
    when: [equals("iam:AWSServiceName", "spot.amazonaws.com")],
    why: "The first spot machine of an account needs the role that EC2 keeps for spot.",
  },
];

/** The functions that make and end machines. */
const fleet: readonly Grant[] = [
  ...common,
  ...launching,
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

export const grants: Readonly<Record<FunctionName, readonly Grant[]>> = {
  api,
  agent,
  lifecycle: fleet,
  doorbell: [
    ...fleet,
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
    { actions: ["states:StartExecution"], on: ["machines"], why: "It starts what drives a cluster up or down." },
    {
      actions: ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
      on: ["rings"],
      why: "Rings that failed are tried again from a queue, which Lambda reads in its name.",
    },
    { actions: ["sqs:SendMessage"], on: ["dead-letters"], why: "What the stream could not deliver is kept." },
  ],
  events: [...fleet, { actions: ["sqs:SendMessage"], on: ["dead-letters"], why: "An event that failed is kept." }],
  cron: [
    ...fleet,
    { actions: ["sqs:SendMessage"], on: ["dead-letters"], why: "A duty that failed is kept." },
    { actions: ["s3:PutObject"], on: ["bucket/catalog"], why: "It writes the catalog." },
    {
      actions: ["pricing:GetProducts", "servicequotas:ListServiceQuotas", "servicequotas:ListAWSDefaultServiceQuotas"],
      on: ["any"],
      why: "The catalog has prices and quotas; these are read-only.",
    },
  ],
};

/** A statement, as SST's `permissions` and `muster iam print` take it. */
export interface Statement {
  readonly actions: string[];
  readonly resources: string[];
  readonly conditions?: { test: string; variable: string; values: string[] }[];
}

/** What a function may do in one deployment. */
export function statementsOf(name: FunctionName, at: Deployment): Statement[] {
  return grants[name].flatMap(grant => {
    const resources = grant.on.flatMap(place => places[place](at, name));
    if (resources.length === 0) return [];
    const conditions = (grant.when ?? []).map(({ values, ...rest }) => ({
      ...rest,
      values: values.map(value => value.replace("{deployment}", at.deployment)),
    }));
    return [{ actions: [...grant.actions], resources, ...(conditions.length > 0 && { conditions }) }];
  });
}
