/** Pools as the API shows them, and what a caller may say of one. Apart from the record, which launches need as well. */
import * as z from "zod";
import * as Launch from "../launch/launch.ts";
import { Name } from "../task/task.ts";
import * as Pool from "./pool.ts";

/** A pool as the API shows it. */
export const Info = Pool.Pool.omit({ workspace: true, dueAt: true, revision: true }).extend({
  nextAt: z.number().optional().meta({ description: "Epoch milliseconds of the next change of size" }),
  retryAt: z.number().optional().meta({ description: "Epoch milliseconds before which no member is made" }),
  setback: Pool.Setback.optional().meta({ description: "Why a member came to nothing, the last time that one did" }),
  ready: z.number().int().meta({ description: "Members that may be taken at once, when it was last looked at" }),
  making: z.number().int().meta({ description: "Members that are being made, when it was last looked at" }),
  leaving: z.boolean().optional().meta({ description: "It is removed when its members are" }),
});
export type Info = z.infer<typeof Info>;

/** A member as the API shows it. */
export const MemberInfo = z.object({
  clusterId: z.string(),
  cluster: z.string().meta({ description: "Name of the cluster" }),
  state: z.string().meta({ description: "State of the cluster" }),
  prepared: z.boolean().meta({ description: "Whether its task has done its work there" }),
  hourly: z.number().optional().meta({ description: "US dollars per hour while it runs" }),
  running: z.boolean().meta({ description: "Whether it costs that now" }),
  createdAt: z.number().meta({ description: "Epoch milliseconds" }),
});
export type MemberInfo = z.infer<typeof MemberInfo>;

/** One of them, with its members. */
export const Details = Info.extend({
  members: z.array(MemberInfo),
  hourly: z.number().meta({ description: "US dollars per hour that its members cost now" }),
  nextSize: Pool.Size.optional().meta({ description: "What the next change of size comes to" }),
});
export type Details = z.infer<typeof Details>;

/** What a caller may set: the whole of it. */
export const Change = z.strictObject({
  size: Pool.Size,
  sizes: Pool.Turns,
  keep: Pool.Keep.optional().meta({
    description: "Absent: stopped, which is refused for machines that cannot be stopped",
  }),
  launch: Launch.Create.meta({ description: "What its members are: machines, and a task with a setup and no run" }),
});
export type Change = z.infer<typeof Change>;

export const Resize = z.strictObject({ size: Pool.Size });
export type Resize = z.infer<typeof Resize>;

export const NameParam = z.object({ name: Name.meta({ description: "Name of the pool" }) });
