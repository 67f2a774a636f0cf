/** What EC2 and SSM tell: EventBridge's events. Machines of others are none of ours. */
import { moved, warned } from "@muster/core/host/heard.ts";
import type { World } from "@muster/core/ports/world.ts";
import * as z from "zod";

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-instance-state-changes.html and its neighbours */
const Notice = z.discriminatedUnion("detail-type", [
  z.object({
    "detail-type": z.literal("EC2 Instance State-change Notification"),
    detail: z.object({ "instance-id": z.string() }),
  }),
  z.object({
    "detail-type": z.literal("EC2 Spot Instance Interruption Warning"),
    detail: z.object({ "instance-id": z.string() }),
  }),
  z.object({
    "detail-type": z.literal("EC2 Instance Rebalance Recommendation"),
    detail: z.object({ "instance-id": z.string() }),
  }),
  z.object({
    "detail-type": z.literal("EC2 Command Invocation Status-change Notification"),
    detail: z.object({ "instance-id": z.string(), status: z.string() }),
  }),
]);

export const ec2 =
  (world: World) =>
  async (event: unknown): Promise<void> => {
    const notice = Notice.parse(event);
    const machineId = notice.detail["instance-id"];
    switch (notice["detail-type"]) {
      case "EC2 Instance State-change Notification":
        await moved(world, machineId);
        return;
      case "EC2 Spot Instance Interruption Warning":
        await warned(world, machineId, "interruption");
        return;
      case "EC2 Instance Rebalance Recommendation":
        await warned(world, machineId, "rebalance");
        return;
      case "EC2 Command Invocation Status-change Notification":
        // The agent polls by itself: a kick that failed costs one interval.
        world.log.info("a kick failed", { machine: machineId, status: notice.detail.status });
    }
  };
