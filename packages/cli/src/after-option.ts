/** Which jobs a job waits for. */
import * as Job from "@muster/core/job/job.ts";
import { InvalidArgumentError } from "commander";

/** Collects `--after JOB` and `--after JOB:end`. */
export function afterOption(given: string, earlier: readonly Job.After[] = []): Job.After[] {
  const [job = "", on = "success"] = given.split(":", 2);
  const read = Job.After.safeParse({ job, on });
  if (read.success) return [...earlier, read.data];
  throw new InvalidArgumentError("Write the id of a job, such as job_01J…, for its success; or with :end for any end.");
}
