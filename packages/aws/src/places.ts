/** Where the things of a deployment are: names that the stacks give and that grants point at, and the ARNs they make. */

export const FUNCTIONS = [
  "api",
  "config",
  "admin",
  "signin",
  "hooks",
  "agent",
  "lifecycle",
  "doorbell",
  "outbox",
  "events",
  "cron",
] as const;
export type FunctionName = (typeof FUNCTIONS)[number];

/** Roles that are no function's: of machines, of the state machines, of the schedules. */
export const ROLES = ["host", "machine", "scheduler"] as const;
export type RoleName = (typeof ROLES)[number];

/** The tag that everything a deployment makes at run time bears. */
export const DEPLOYMENT_TAG = "muster:deployment";
/** The tag by which an administrator lets tasks name a subnet or a security group; its value is the deployment's name. */
export const USE_TAG = "muster:use";

/** Where a deployment stands, from which every ARN follows. */
export interface Deployment {
  /** `aws`, `aws-cn` or `aws-us-gov`. */
  readonly partition: string;
  readonly region: string;
  readonly account: string;
  /** `<app>-<stage>`. */
  readonly deployment: string;
  /** Names, not ARNs. */
  readonly table: string;
  readonly bucket: string;
  /** Id of the HTTP API; what points at it comes to nothing where it is not said. */
  readonly api?: string | undefined;
  /** An existing network: machines may be launched nowhere else. */
  readonly network?: { readonly vpc: string; readonly subnets: readonly string[] } | undefined;
  /** ARN of a KMS key. */
  readonly kmsKey?: string | undefined;
}

/** Names that are the same wherever they are said: the stacks make these, and grants point at them. */
export const namesOf = (deployment: string) => ({
  function: (name: FunctionName): string => `${deployment}-${name}`,
  machine: (name: "cluster-up" | "cluster-down"): string => `${deployment}-${name}`,
  rings: `${deployment}-rings`,
  deliveries: `${deployment}-deliveries`,
  role: (name: RoleName): string => `${deployment}-${name}`,
  hostRole: `${deployment}-host`,
  kickDocument: `${deployment}-kick`,
});

/** Every role of a deployment stands under this path; roles for jobs, which an administrator makes, below `jobs/`. */
export const ROLE_PATH = "/muster/";

/** Every parameter of a deployment stands under this path and its name. */
export const PARAMETER_PATH = "/muster/";

/** What the fleet's functions log in CloudWatch's embedded metric format, with the one dimension `deployment`. */
export const METRICS = {
  namespace: "Muster",
  names: ["OrphansFound", "OrphansHeld", "DrainingTooLong", "HostsBraked", "DeadLetters"],
} as const;

/** What hosts ask of the API by their AWS credentials, in the form of IAM: a part of a path that varies is `*`. */
const HOST_ROUTES = ["POST/v1/agent/register", "GET/v1/agent/files/*"];

type ArnsOf = (at: Deployment, name: FunctionName) => readonly string[];

const arn = (at: Deployment, service: string, rest: string): string =>
  `arn:${at.partition}:${service}:${at.region}:${at.account}:${rest}`;
const functionArn = (at: Deployment, name: FunctionName): string =>
  arn(at, "lambda", `function:${namesOf(at.deployment).function(name)}`);
const table = (at: Deployment): string => arn(at, "dynamodb", `table/${at.table}`);
const blob =
  (prefix: string): ArnsOf =>
  at => [`arn:${at.partition}:s3:::${at.bucket}/${prefix}/*`];
const ec2 =
  (type: string) =>
  (at: Deployment): readonly string[] => [arn(at, "ec2", `${type}/*`)];
/** Images and snapshots belong to whoever published them: their ARNs name no account. */
const published =
  (type: string): ArnsOf =>
  at => [`arn:${at.partition}:ec2:${at.region}::${type}/*`];

/** What a grant may point at, and what that is in a deployment. */
export const places = {
  table: at => [table(at)],
  "table/index": at => [`${table(at)}/index/*`],
  "table/stream": at => [`${table(at)}/stream/*`],
  bucket: at => [`arn:${at.partition}:s3:::${at.bucket}`],
  "bucket/uploads": blob("uploads"),
  "bucket/logs": blob("logs"),
  "bucket/outputs": blob("outputs"),
  "bucket/checkpoints": blob("checkpoints"),
  "bucket/catalog": blob("catalog"),
  "bucket/audit": blob("audit"),
  "bucket/runtime": blob("runtime"),
  "own-logs": (at, name) => [
    arn(at, "logs", `log-group:/aws/lambda/${namesOf(at.deployment).function(name)}:log-stream:*`),
  ],
  machines: at =>
    (["cluster-up", "cluster-down"] as const).map(name =>
      arn(at, "states", `stateMachine:${namesOf(at.deployment).machine(name)}`),
    ),
  function: (at, name) => [functionArn(at, name)],
  "function/versions": (at, name) => [`${functionArn(at, name)}:*`],
  "host-routes": at =>
    HOST_ROUTES.flatMap(route => (at.api === undefined ? [] : [arn(at, "execute-api", `${at.api}/*/${route}`)])),
  rings: at => [arn(at, "sqs", namesOf(at.deployment).rings)],
  deliveries: at => [arn(at, "sqs", namesOf(at.deployment).deliveries)],
  outbox: at => [functionArn(at, "outbox")],
  "dead-letters": (at, name) => [arn(at, "sqs", `${namesOf(at.deployment).function(name)}-dead`)],
  "host-role": at => [`arn:${at.partition}:iam::${at.account}:role${ROLE_PATH}${namesOf(at.deployment).hostRole}`],
  "job-roles": at => [`arn:${at.partition}:iam::${at.account}:role${ROLE_PATH}jobs/*`],
  "spot-service-role": at => [
    `arn:${at.partition}:iam::${at.account}:role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot`,
  ],
  "kick-document": at => [arn(at, "ssm", `document/${namesOf(at.deployment).kickDocument}`)],
  secrets: at => [arn(at, "ssm", `parameter${PARAMETER_PATH}${at.deployment}/*`)],
  "public-parameters": at => [`arn:${at.partition}:ssm:${at.region}::parameter/aws/service/*`],
  instance: ec2("instance"),
  volume: ec2("volume"),
  "network-interface": ec2("network-interface"),
  "spot-instances-request": ec2("spot-instances-request"),
  "security-group": ec2("security-group"),
  "placement-group": ec2("placement-group"),
  "capacity-reservation": ec2("capacity-reservation"),
  image: published("image"),
  snapshot: published("snapshot"),
  subnet: at =>
    at.network === undefined ? ec2("subnet")(at) : at.network.subnets.map(id => arn(at, "ec2", `subnet/${id}`)),
  "any-subnet": ec2("subnet"),
  vpc: at => [arn(at, "ec2", `vpc/${at.network?.vpc ?? "*"}`)],
  "kms-key": at => (at.kmsKey === undefined ? [] : [at.kmsKey]),
  any: () => ["*"],
} as const satisfies Record<string, ArnsOf>;

export type Place = keyof typeof places;
