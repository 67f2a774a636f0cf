/** The state machines that drive clusters up and down, and the function that does their steps. */
import { roles } from "@muster/aws/grants.ts";
import { definitions } from "@muster/core/machine/definitions.ts";
import { idOf } from "./functions.ts";
import { type Here, type Kept, trust } from "./here.ts";
import { roleOf } from "./roles.ts";

export type Machines = Readonly<Record<keyof typeof definitions, aws.sfn.StateMachine>>;

export function machines(at: Here, kept: Kept, lifecycle: sst.aws.Function): Machines {
  const arns = Object.keys(definitions).map(
    name =>
      $interpolate`arn:${at.partition}:states:${at.options.region}:${at.account}:stateMachine:${at.deployment}-${name}`,
  );
  const role = roleOf(at, kept, "MachineRole", "machine", { trust: trust(at, roles.machine.service, arns) });
  return {
    "cluster-up": machine(at, "cluster-up", role, lifecycle),
    "cluster-down": machine(at, "cluster-down", role, lifecycle),
  };
}

function machine(at: Here, name: keyof typeof definitions, role: aws.iam.Role, lifecycle: sst.aws.Function) {
  const { kmsKey } = at.options;
  // Step Functions writes only into groups of this prefix without a policy of their own, which an account has ten of.
  const logs = new aws.cloudwatch.LogGroup(`${idOf(name)}Log`, {
    name: `/aws/vendedlogs/states/${at.names.machine(name)}`,
    retentionInDays: at.production ? 90 : 30,
    kmsKeyId: kmsKey,
  });
  return new aws.sfn.StateMachine(`${idOf(name)}Machine`, {
    name: at.names.machine(name),
    type: "STANDARD",
    roleArn: role.arn,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the definition's own placeholder
    definition: lifecycle.arn.apply(arn => JSON.stringify(definitions[name]).replaceAll("${LifecycleFunction}", arn)),
    loggingConfiguration: {
      level: "ERROR",
      includeExecutionData: true,
      logDestination: $interpolate`${logs.arn}:*`,
    },
    ...(kmsKey !== undefined && {
      encryptionConfiguration: {
        type: "CUSTOMER_MANAGED_KMS_KEY",
        kmsKeyId: kmsKey,
        kmsDataKeyReusePeriodSeconds: 900,
      },
    }),
  });
}
