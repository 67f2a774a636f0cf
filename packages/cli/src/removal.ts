/** How a control plane itself is removed, which this program cannot do, and what that leaves behind. */
import { DEPLOYMENT_TAG, PARAMETER_PATH } from "@muster/aws/places.ts";
import { regionOf } from "./context/endpoint.ts";
import type { Remote, Target } from "./context/target.ts";

export interface Next {
  /** To type, in this order. */
  readonly commands: readonly string[];
  /** To type where something is left behind then. */
  readonly leftovers: readonly string[];
  readonly lines: readonly string[];
}

/** What SST calls the app; with the stage it is the deployment's name. */
const APP = "muster";

/** @param stage that was deployed */
export function next(place: Target, stage: string): Next {
  if (place.kind === "remote") return deployed(place, stage);
  const commands = ["muster local stop", `rm -r ${place.home}`];
  const lines = ["To remove this machine's control plane, with its logs and records:", ...indented(commands)];
  return { commands, leftovers: [], lines };
}

function deployed({ endpoint, context }: Remote, stage: string): Next {
  const at = { deployment: `${APP}-${stage}`, region: regionIn(endpoint) };
  const commands = [`npx sst remove --stage ${stage}`, ...(context === undefined ? [] : [`muster logout ${context}`])];
  const kept = stage === "production" ? keptData(at) : [];
  const groups = madeWhileRunning(at);
  const lines = [
    "The deployment itself is removed by SST, in the clone that it was deployed from, with AWS credentials;",
    "this program cannot do that:",
    ...indented(commands),
    ...(stage === "production"
      ? [
          "A stage called production is protected: set `protect` to false in sst.config.ts and in stacks/data.ts, and",
          "deploy once more; then it can be removed. Its table and its bucket are kept even then: records, and logs of",
          "jobs. `sst deploy` printed their names, and .sst/outputs.json in the clone has them. To delete those for good:",
          ...indented(kept),
        ]
      : ["Table and bucket go with it: records, and logs of jobs. muster export keeps a copy of the records."]),
    `On EC2 it made what is not SST's to remove: a security group for each workspace, muster-${at.deployment}-WORKSPACE,`,
    "and placement groups of clusters. It deletes these itself, the first a day after a workspace's last cluster has ended;",
    "if it goes sooner, they stay, and cost nothing. Images and snapshots of clusters that were moved it deletes within minutes;",
    "should some be left, they cost money, as do images that were saved and not removed (muster image remove, before). The workspace's secrets stay in Parameter Store, encrypted, until they are removed",
    "(muster secrets rm, before), or deleted there. To see, and to delete, what is left:",
    ...indented(groups),
  ];
  return { commands, leftovers: [...kept, ...groups], lines };
}

interface Where {
  readonly deployment: string;
  readonly region: string;
}

const keptData = ({ region }: Where): string[] => [
  `aws dynamodb update-table --region ${region} --no-deletion-protection-enabled --table-name TABLE`,
  `aws dynamodb delete-table --region ${region} --table-name TABLE`,
  `aws s3 rb --region ${region} --force s3://BUCKET`,
];

function madeWhileRunning({ deployment, region }: Where): string[] {
  const each = (what: string, field: string, which: string, remove: string): string =>
    `aws ec2 describe-${what} --region ${region} --filters Name=tag:${DEPLOYMENT_TAG},Values=${deployment} ` +
    `--query '${field}[].${which}' --output text | xargs -rn1 aws ec2 delete-${remove} --region ${region}`;
  return [
    `${each("security-groups", "SecurityGroups", "GroupId", "security-group")} --group-id`,
    `${each("placement-groups", "PlacementGroups", "GroupName", "placement-group")} --group-name`,
    `aws ec2 describe-images --owners self --region ${region} --filters Name=tag:${DEPLOYMENT_TAG},Values=${deployment} ` +
      `--query 'Images[].ImageId' --output text | xargs -rn1 aws ec2 deregister-image --region ${region} --image-id`,
    `${each("snapshots --owner-ids self", "Snapshots", "SnapshotId", "snapshot")} --snapshot-id`,
    `aws ssm describe-parameters --region ${region} --parameter-filters Key=Path,Option=Recursive,Values=${PARAMETER_PATH}${deployment} ` +
      `--query 'Parameters[].Name' --output text | xargs -rn1 aws ssm delete-parameter --region ${region} --name`,
  ];
}

/** An endpoint under a name of one's own does not say it. */
function regionIn(endpoint: string): string {
  try {
    return regionOf(endpoint);
  } catch {
    return "REGION";
  }
}

const indented = (commands: readonly string[]): string[] => commands.map(command => `  ${command}`);
