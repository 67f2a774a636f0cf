/** The way to a workflow engine. In most runs there is none, and the port says so. */
import type { Workflow } from "@muster/core/ports/ports.ts";
import type { ClusterRef } from "@muster/core/ports/provider.ts";
import { call, type Process } from "../process.ts";
import type { Sim } from "../sim.ts";

export type Machine = Parameters<Workflow["start"]>[0];

/** Starts an execution; the same name twice is one. */
export class Executions {
  readonly #names = new Set<string>();
  readonly #execute: (machine: Machine, ref: ClusterRef) => void;

  constructor(execute: (machine: Machine, ref: ClusterRef) => void) {
    this.#execute = execute;
  }

  start(machine: Machine, name: string, ref: ClusterRef): void {
    if (this.#names.has(name)) return;
    this.#names.add(name);
    this.#execute(machine, ref);
  }
}

export const workflowPort = (sim: Sim, process: Process): Workflow => ({
  start: async (machine, name, input) => {
    const { executions } = sim;
    if (executions === undefined) return false;
    const ref = { workspace: String(input.workspace), clusterId: String(input.clusterId) };
    await call(sim, process, `${process.name} start ${name}`, () => executions.start(machine, name, ref));
    return true;
  },
});
