/** Roles that are no function's: each with the grants of its name and nothing more. */
import { policyOf, roleStatementsOf } from "@muster/aws/grants.ts";
import { ROLE_PATH, type RoleName } from "@muster/aws/places.ts";
import { deploymentOf, type Here, type Kept } from "./here.ts";

export interface Trusting {
  /** Who may take it on. */
  readonly trust: $util.Input<string>;
  readonly api?: sst.aws.ApiGatewayV2;
}

/** @param id of the resource */
export const roleOf = (at: Here, kept: Kept, id: string, name: RoleName, { trust, api }: Trusting): aws.iam.Role =>
  new aws.iam.Role(id, {
    name: at.names.role(name),
    path: ROLE_PATH,
    permissionsBoundary: at.options.boundary,
    assumeRolePolicy: trust,
    inlinePolicies: [
      {
        name,
        policy: deploymentOf(at, kept, api?.nodes.api.id).apply(deployment =>
          JSON.stringify(policyOf(roleStatementsOf(name, deployment))),
        ),
      },
    ],
  });
