/** One worker process: runs its share of the seeds, with a planted bug or without, and tells its parent how far it is. */
import { parseArgs } from "node:util";
import { bugs } from "./bugs/bugs.ts";
import { plant } from "./bugs/plant.ts";
import { hunt, type Job } from "./hunt.ts";

const { values } = parseArgs({ options: { job: { type: "string" }, bug: { type: "string" } } });
const job = JSON.parse(values.job ?? "{}") as Job;
const verify = values.bug === undefined ? undefined : plant(bugs[values.bug] ?? []);
// Only now: what is planted changes modules as they are loaded.
const { run } = await import("./run.ts");
verify?.();
for await (const sum of hunt(job, run)) process.send?.(sum);
process.disconnect?.();
