/** What machines are given: the hosts' role, and the document that makes an agent look. */

import { roles } from "@muster/aws/grants.ts";
import { ROLE_PATH } from "@muster/aws/places.ts";
import type { Here, Kept } from "./here.ts";
import { roleOf } from "./roles.ts";

export interface Compute {
  readonly profile: aws.iam.InstanceProfile;
  readonly kick: aws.ssm.Document;
}

export function compute(at: Here, kept: Kept, api: sst.aws.ApiGatewayV2): Compute {
  // EC2 does not say for whom it assumes an instance's role, so no condition can ask.
  const trust = $jsonStringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: roles.host.service } }],
  });
  const role = roleOf(at, kept, "HostRole", "host", { trust, api });
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
