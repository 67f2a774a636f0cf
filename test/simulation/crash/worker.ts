/** One worker process: runs its share of the points, or of the grids, with a planted bug or without. */
import { parseArgs } from "node:util";
import { bugs } from "../bugs/bugs.ts";
import { plant } from "../bugs/plant.ts";

const { values } = parseArgs({
  options: { points: { type: "string" }, grids: { type: "string" }, bug: { type: "string" } },
});
const verify = values.bug === undefined ? undefined : plant(bugs[values.bug] ?? []);
// Only now: what is planted changes modules as they are loaded.
const { enumerate } = await import("./enumerate.ts");
const { lay } = await import("./grids.ts");
verify?.();
const work = values.points === undefined ? lay(JSON.parse(values.grids ?? "{}")) : enumerate(JSON.parse(values.points));
for await (const done of work) process.send?.(done);
process.disconnect?.();
