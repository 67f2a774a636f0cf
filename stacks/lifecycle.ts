/** The state machines that drive clusters up and down, and the function that does their steps. */
import { definitions } from "@muster/core/machine/definitions.ts";
import { idOf } from "./functions.ts";
import { type Here, roleDefaults, trust } from "./here.ts";

export type Machines = Readonly<Record<keyof typeof definitions, aws.sfn.StateMachine>>;

/** Step Functions asks for these to deliver logs, and knows no resource for them. */
const delivery = [
  "logs:CreateLogDelivery",
  "logs:DeleteLogDelivery",
  "logs:DescribeLogGroups",
  "logs:DescribeResourcePolicies",
  "logs:GetLogDelivery",
  "logs:ListLogDeliveries",
  "logs:PutResourcePolicy",
  "logs:UpdateLogDelivery",
];

export function machines(at: Here, lifecycle: sst.aws.Function): Machines {
  const { kmsKey } = at.options;
  const arns = Object.keys(definitions).map(
    name =>
      $interpolate`arn:${at.partition}:states:${at.options.region}:${at.account}:stateMachine:${at.deployment}-${name}`,
  );
  const role = new aws.iam.Role("MachineRole", {
    ...roleDefaults(at, "machine"),
    assumeRolePolicy: trust(at, "states.amazonaws.com", arns),
    inlinePolicies: [
      {
        name: "machine",
        policy: $jsonStringify({
          Version: "2012-10-17",
          Statement: [
            {
              Effect: "Allow",
              Action: "lambda:InvokeFunction",
              Resource: [lifecycle.arn, $interpolate`${lifecycle.arn}:*`],
            },
            { Effect: "Allow", Action: delivery, Resource: "*" },
            ...(kmsKey === undefined
              ? []
              : [{ Effect: "Allow", Action: ["kms:Decrypt", "kms:GenerateDataKey"], Resource: kmsKey }]),
          ],
        }),
      },
    ],
  });
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
