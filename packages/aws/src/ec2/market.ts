/** How machines are paid for: on demand, as spot capacity, or out of a reservation. */
import { DescribeCapacityReservationsCommand, type RunInstancesCommandInput } from "@aws-sdk/client-ec2";
import { MusterError } from "@muster/core/error.ts";
import type { Clock } from "@muster/core/ports/ports.ts";
import type { Intent } from "@muster/core/ports/provider.ts";
import { answerOf, type Ec2 } from "./client.ts";
import { recall } from "./recall.ts";

export type Market = Pick<RunInstancesCommandInput, "InstanceMarketOptions" | "CapacityReservationSpecification">;

export interface Reservations {
  /** Whether the reservation is a capacity block, which is a market of its own. @throws Fault, MusterError `launch_failed` */
  isBlock(id: string): Promise<boolean>;
}

/** How long what a reservation is, is good, in ms. It never changes its kind. */
const GOOD_FOR = 86_400_000;

export function reservations(world: { readonly ec2: Ec2; readonly clock: Clock }): Reservations {
  const known = recall<boolean>(world.clock, GOOD_FOR);
  return { isBlock: id => known.get(id, () => ask(world.ec2, id)) };
}

async function ask({ reads }: Ec2, id: string): Promise<boolean> {
  const command = new DescribeCapacityReservationsCommand({ CapacityReservationIds: [id] });
  const { CapacityReservations: found } = await answerOf("DescribeCapacityReservations", reads.send(command));
  const [reservation] = found ?? [];
  if (reservation === undefined)
    throw new MusterError("launch_failed", `there is no capacity reservation '${id}'`, {
      hint: "its id begins with cr-, and it must be of this account, or shared with it, and of this region",
    });
  return reservation.ReservationType === "capacity-block";
}

/** @throws Fault, or MusterError `unsupported` for a reservation on the spot market. */
export async function marketOf(known: Reservations, { offer, resources }: Intent): Promise<Market> {
  const { reservation: id } = resources;
  if (id === undefined) return offer.market === "spot" ? spot(resources.maxHourly) : {};
  if (offer.market === "spot")
    throw new MusterError("unsupported", "spot capacity cannot come out of a reservation", {
      hint: "leave out use_spot, or the reservation",
    });
  const isBlock = await known.isBlock(id);
  return {
    ...(isBlock && { InstanceMarketOptions: { MarketType: "capacity-block" } }),
    CapacityReservationSpecification: { CapacityReservationTarget: { CapacityReservationId: id } },
  };
}

/** One-time: a request that outlived its machine would make another one, that nobody asked for. */
const spot = (maxHourly: number | undefined): Market => ({
  InstanceMarketOptions: {
    MarketType: "spot",
    SpotOptions: {
      SpotInstanceType: "one-time",
      InstanceInterruptionBehavior: "terminate",
      ...(maxHourly !== undefined && { MaxPrice: String(maxHourly) }),
    },
  },
});
