/** Schemas that several routes share. */
import * as z from "zod";

/** A cluster by id or name. */
export const ClusterParam = z.object({
  cluster: z.string().min(1).max(63).meta({ description: "Id or name of the cluster" }),
});
export const JobParam = z.object({ job: z.string().min(1).max(63).meta({ description: "Id of the job" }) });

export const PageQuery = z.object({
  cursor: z.string().max(2048).optional().meta({ description: "Where the last page ended" }),
  limit: z.coerce.number().int().min(1).max(100).default(100),
});

/** Of a history. */
export const EventsQuery = PageQuery.extend({
  latest: z.stringbool().default(false).meta({ description: "From the last on, instead of the first" }),
});

export const page = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), cursor: z.string().optional().meta({ description: "Absent on the last page" }) });

/** What the making of machines may be refused with. */
export const MAKING = [
  "name_taken",
  "no_offer",
  "quota_exceeded",
  "over_budget",
  "frozen",
  "unsupported",
  "not_found",
  "conflict",
] as const;
