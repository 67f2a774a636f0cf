/**
 * Ran against: moto through the edge. That one token makes machines once is the edge's doing and not moto's (moto ignores
 * client tokens): what rests on it proves that Muster sends the same token and the same parameters. Missing capacity is the
 * edge's, too.
 */
import type { Intent } from "@muster/core/ports/provider.ts";
import { machinesContract, sharedContract } from "../contract/machines.ts";
import { OFFER, openCloud, openProvider } from "./ec2-support.ts";

const open = async () => {
  const cloud = await openCloud();
  const [{ provider }, { provider: other }] = [
    await openProvider(cloud),
    await openProvider(cloud, { deployment: "app-other" }),
  ];
  return {
    provider,
    other,
    offer: OFFER,
    workspace: "main",
    fill: (intent: Intent) => {
      const code = "InsufficientInstanceCapacity";
      cloud.edge.inject({ on: "ec2.RunInstances", kind: "error", code, status: 500 });
      return intent;
    },
    close: cloud.close,
  };
};

machinesContract("EC2", open);
sharedContract("EC2", open);
