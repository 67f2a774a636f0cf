/** What EC2 and SSM tell: EventBridge's events. Machines of others are none of ours. */
import { answer, type Ring } from "@muster/core/doorbell.ts";
import type { World } from "@muster/core/ports/world.ts";
import * as z from "zod";
import { burying } from "../buried.ts";

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

type Notice = z.infer<typeof Notice>;

export const ec2 =
  (world: World) =>
  async (event: unknown): Promise<void> => {
    const notice = Notice.parse(event);
    const ring = ringOf(notice);
    const machine = notice.detail["instance-id"];
    // The agent polls by itself: a kick that failed costs one interval.
    if (ring === undefined) return world.log.info("a kick failed", { machine, detail: notice.detail });
    const about = { subject: `${ring.do} ${machine}`, what: `hear what became of machine ${machine}`, ring };
    await burying(world, about, () => answer(world, ring));
  };

/** What the notice asks for. */
function ringOf(notice: Notice): Ring | undefined {
  const machineId = notice.detail["instance-id"];
  switch (notice["detail-type"]) {
    case "EC2 Instance State-change Notification":
      return { do: "moved", machineId };
    case "EC2 Spot Instance Interruption Warning":
      return { do: "warned", machineId, kind: "interruption" };
    case "EC2 Instance Rebalance Recommendation":
      return { do: "warned", machineId, kind: "rebalance" };
    case "EC2 Command Invocation Status-change Notification":
      return undefined;
  }
}
