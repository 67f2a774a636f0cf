/** What all functions have in common, whoever makes them. */
import { ROLE_PATH } from "@muster/aws/places.ts";
import { type Here, trust } from "./here.ts";

export function defaults(at: Here): void {
  const { boundary, kmsKey } = at.options;
  $transform(sst.aws.Function, args => {
    args.runtime ??= "nodejs24.x";
    args.architecture ??= "arm64";
    args.memory ??= "512 MB";
    args.timeout ??= "20 seconds";
    args.nodejs ??= { minify: true };
    args.logging ??= { retention: at.production ? "3 months" : "1 month" };
    args.transform ??= {};
    args.transform.role ??= role => {
      // SST's own also trusts the account's root, which `sst dev` needs: there a function runs on the developer's machine.
      if (!$dev) role.assumeRolePolicy = trust(at, "lambda.amazonaws.com");
      // SST's managed policy lets a function write every log; its own is among the grants.
      role.managedPolicyArns = [];
      role.path = ROLE_PATH;
      role.permissionsBoundary = boundary;
      return undefined;
    };
    args.transform.function ??= { kmsKeyArn: kmsKey };
    args.transform.logGroup ??= { kmsKeyId: kmsKey };
  });
}
