/** What machines are given: the hosts' role, and the document that makes an agent look. */
import { functionOf } from "@muster/api/route.ts";
import { entries } from "@muster/api/routes.ts";
import { ROLE_PATH } from "@muster/aws/places.ts";
import { type Here, roleDefaults } from "./here.ts";

export interface Compute {
  readonly profile: aws.iam.InstanceProfile;
  readonly kick: aws.ssm.Document;
}

/** The calls of SSM's agent that carry Run Command and sessions; AWS's own policy would also read every parameter. */
const ssm = [
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
];

/** Any job is root on its host, so this is what any job may do. */
const hostPolicy = (executionArn: $util.Output<string>) =>
  $jsonStringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Action: ssm, Resource: "*" },
      {
        Effect: "Allow",
        Action: "execute-api:Invoke",
        Resource: entries
          .filter(([id, { auth }]) => functionOf(id) === "agent" && auth === "iam")
          .map(([, { method, path }]) => $interpolate`${executionArn}/*/${method}${path}`),
      },
    ],
  });

export function compute(at: Here, api: sst.aws.ApiGatewayV2): Compute {
  const role = new aws.iam.Role("HostRole", {
    ...roleDefaults(at, "host"),
    name: at.names.hostRole,
    // EC2 does not say for whom it assumes an instance's role, so no condition can ask.
    assumeRolePolicy: $jsonStringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "ec2.amazonaws.com" } }],
    }),
    inlinePolicies: [{ name: "host", policy: hostPolicy(api.nodes.api.executionArn) }],
  });
  const profile = new aws.iam.InstanceProfile("HostProfile", {
    name: at.names.hostRole,
    path: ROLE_PATH,
    role: role.name,
  });
  return { profile, kick: kick(at) };
}

/** No parameters: whoever may send this can make agents look, and nothing else. */
const kick = (at: Here): aws.ssm.Document =>
  new aws.ssm.Document("KickDocument", {
    name: at.names.kickDocument,
    documentType: "Command",
    documentFormat: "JSON",
    targetType: "/AWS::EC2::Instance",
    content: JSON.stringify({
      schemaVersion: "2.2",
      description: "Makes Muster's agent ask for its orders at once.",
      mainSteps: [
        {
          action: "aws:runShellScript",
          name: "kick",
          inputs: { timeoutSeconds: "30", runCommand: ["/usr/local/bin/muster-agent kick"] },
        },
      ],
    }),
  });
