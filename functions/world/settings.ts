/** What the deployment tells this function: SST's links, parsed once. */
import { MusterError } from "@muster/core/error.ts";
import { Resource } from "sst/resource";
import type * as z from "zod";

/** @throws MusterError `internal` when the stack did not link it, or linked something else. */
export function link<T>(name: string, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse((Resource as unknown as Readonly<Record<string, unknown>>)[name]);
  if (parsed.success) return parsed.data;
  throw new MusterError("internal", `the link '${name}' is not as the stack should have made it`, {}, parsed.error);
}
