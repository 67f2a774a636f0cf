/**
 * What the roles of a deployment may do that are no function's, as data beside the grants of the functions: the stacks make
 * the roles from it, tests hold them against it, and `muster iam print` shows it.
 */
import type { Deployment, FunctionName, RoleName } from "../places.ts";
import type { Grant } from "./grant.ts";
import { resolve, type Statement } from "./statement.ts";

export interface Role {
  /** Whose role it is, for people. */
  readonly of: string;
  /** The AWS service that may take it on. */
  readonly service: string;
  /** The function that it speaks to: grants mean its own things. */
  readonly to: FunctionName;
  readonly grants: readonly Grant[];
}

const keyed = (why: string): Grant => ({ actions: ["kms:Decrypt", "kms:GenerateDataKey"], on: ["kms-key"], why });

export const roles: Readonly<Record<RoleName, Role>> = {
  host: {
    of: "the machines; any job is root on its host, so this is what any job may do",
    service: "ec2.amazonaws.com",
    to: "agent",
    grants: [
      {
        actions: [
          "ssm:UpdateInstanceInformation",
          "ssmmessages:CreateControlChannel",
          "ssmmessages:CreateDataChannel",
          "ssmmessages:OpenControlChannel",
          "ssmmessages:OpenDataChannel",
          "ec2messages:AcknowledgeMessage",
          "ec2messages:DeleteMessage",
          "ec2messages:FailMessage",
          "ec2messages:GetEndpoint",
          "ec2messages:GetMessages",
          "ec2messages:SendReply",
        ],
        on: ["any"],
        why: "SSM's agent takes kicks and sessions by these calls; AWS's own policy would also read every parameter.",
      },
      {
        actions: ["execute-api:Invoke"],
        on: ["host-routes"],
        why: "A machine fetches the agent and registers by its AWS credentials; then it has a token of its own.",
      },
    ],
  },
  machine: {
    of: "the state machines that drive clusters up and down",
    service: "states.amazonaws.com",
    to: "lifecycle",
    grants: [
      {
        actions: ["lambda:InvokeFunction"],
        on: ["function", "function/versions"],
        why: "Each step of a state machine is a call of one function.",
      },
      {
        actions: [
          "logs:CreateLogDelivery",
          "logs:DeleteLogDelivery",
          "logs:DescribeLogGroups",
          "logs:DescribeResourcePolicies",
          "logs:GetLogDelivery",
          "logs:ListLogDeliveries",
          "logs:PutResourcePolicy",
          "logs:UpdateLogDelivery",
        ],
        on: ["any"],
        why: "Step Functions asks for these to deliver the logs of executions, and knows no resource for them.",
      },
      keyed("Executions are encrypted with the deployment's key."),
    ],
  },
  scheduler: {
    of: "the schedules of the cron",
    service: "scheduler.amazonaws.com",
    to: "cron",
    grants: [
      { actions: ["lambda:InvokeFunction"], on: ["function", "outbox"], why: "Each duty is a call of one function." },
      { actions: ["sqs:SendMessage"], on: ["dead-letters"], why: "A run that could not be started is kept." },
      keyed("Schedules and the queue are encrypted with the deployment's key."),
    ],
  },
};

/** What a role may do in one deployment. */
export const roleStatementsOf = (name: RoleName, at: Deployment): Statement[] =>
  resolve(roles[name].grants, at, roles[name].to);
