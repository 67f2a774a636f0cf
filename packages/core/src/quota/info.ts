/** Quotas as the API shows them, and sets them; apart, so that whoever only keeps them need not know. */
import * as z from "zod";
import { each, Limit, QUOTAS } from "./quota.ts";

/** What an admin may set; null: no limit. What is absent stays as it is. */
export const Change = z.strictObject(each(Limit));
export type Change = z.infer<typeof Change>;

const One = z.object({
  quota: z.enum(QUOTAS),
  used: z.number(),
  limit: z.number().optional().meta({ description: "Absent: there is none" }),
  default: z.number().meta({ description: "The limit until an admin says otherwise" }),
});

/** A workspace's quotas, as the API shows them. */
export const Info = z.object({ quotas: z.array(One) });
export type Info = z.infer<typeof Info>;
