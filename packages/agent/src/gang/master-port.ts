/** A step of an attempt: the port that MASTER_PORT names is free where the job's first node runs. */
import type { Outcome, Record } from "../attempt/record.ts";
import { bindable } from "../service/ports.ts";

/**
 * Of a job of one node another port will do as well: nobody else has to know it. All nodes of a larger one were told the same;
 * the next try, which comes by itself, has another.
 */
export async function masterPort({ record }: { readonly record: Record }): Promise<Outcome | undefined> {
  const { rank, env } = record.assignment;
  const port = Number(env.MASTER_PORT);
  if (rank !== 0 || record.state.step !== "inputs" || !port || (await bindable(port)) !== undefined) return undefined;
  if (env.MUSTER_NUM_NODES !== "1")
    return {
      cause: "port_taken",
      message: `port ${port}, which MASTER_PORT names, is taken on the job's first host`,
    };
  const other = await bindable(0);
  if (other !== undefined) record.update({ masterPort: other });
  return undefined;
}
