/** The workflow engine: executions do what the state machines' definitions say, and may be lost at any step. */
import { definitions } from "@muster/core/machine/definitions.ts";
import { step } from "@muster/core/machine/step.ts";
import type { ClusterRef } from "@muster/core/ports/provider.ts";
import { invoke } from "./invoke.ts";
import { SECOND } from "./kernel.ts";
import type { Machine } from "./ports/workflow.ts";
import type { Sim } from "./sim.ts";

export async function execute(sim: Sim, machine: Machine, ref: ClusterRef): Promise<void> {
  const endsBy = sim.now + definitions[machine].TimeoutSeconds * SECOND;
  while (sim.now < endsBy && !sim.faults.happens("workflowLost")) {
    const outcome = await invoke(sim, `${machine} ${ref.clusterId.slice(-4)}`, ref.workspace, world =>
      step(world, ref),
    );
    const next = outcome.kind === "done" ? outcome.value.next : "wait";
    if (next === "done" || (next === "drain" && machine === "cluster-up" && (await drainOnce(sim, ref)))) return;
    if (next !== "launch")
      await sim.kernel.sleep(definitions[machine].States.Pause.Seconds * SECOND, `${machine} pause`);
  }
}

/** The way up ends with one step of the way down; the other machine, and the sweep, go on. */
async function drainOnce(sim: Sim, ref: ClusterRef): Promise<true> {
  await invoke(sim, `cluster-up drain ${ref.clusterId.slice(-4)}`, ref.workspace, world => step(world, ref));
  return true;
}
