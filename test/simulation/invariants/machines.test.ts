/** The judge of machines, shown clouds that are made up: which machines of a cluster that was called stopped may run. */
import { expect, test } from "vitest";
import type { Box } from "../ports/cloud.ts";
import type { Process } from "../process.ts";
import { Sim } from "../sim.ts";
import { watchMachines } from "./machines.ts";

const CLUSTER = "clu_01MCC6CZY1YDM45Q6FX4CSJB72";
const process: Process = {
  name: "reconcile",
  workspace: "acme",
  deadline: Number.POSITIVE_INFINITY,
  skew: 0,
  dead: false,
  finished: false,
  die: () => undefined,
};

/** What is found amiss when the process calls a cluster stopped. @param lookedAt when it was told of the machine, in ms */
function judged(box: Partial<Box>, lookedAt: number | undefined) {
  const sim = new Sim(1);
  watchMachines(sim);
  sim.cloud.boxes.push({ id: "m-1", clusterId: CLUSTER, state: "pending", ...box } as Box);
  if (lookedAt !== undefined) sim.cloud.told(process, { workspace: "acme", clusterId: CLUSTER }, lookedAt);
  const put = (state: string) => ({
    pk: "W#acme#C",
    sk: "CLUSTER",
    type: "cluster",
    data: { id: CLUSTER, workspace: "acme", state },
  });
  sim.db.write(process, [{ put: put("stopping"), expect: "absent" }]);
  sim.db.write(process, [{ put: put("stopped"), expect: 1 }]);
  return sim.violations.map(({ invariant }) => invariant);
}

test.each([
  ["was started before the last look", { boots: 2, bootedAt: 100 }, 200],
  ["runs since before the last look", { boots: 2, bootedAt: 100, state: "running" }, 200],
  ["is new since the last look", { boots: 1, bootedAt: 300 }, 200],
  ["was looked at by nobody", { boots: 2, bootedAt: 100 }, undefined],
] as const)("a machine of a stopped cluster that %s may not run", (_, box, lookedAt) => {
  expect(judged(box, lookedAt)).toEqual(["I5"]);
});

test.each([
  ["was started after the last look", { boots: 2, bootedAt: 300 }, 200],
  ["stands still", { boots: 2, bootedAt: 100, state: "stopped" }, 200],
] as const)("a machine of a stopped cluster that %s is nothing amiss", (_, box, lookedAt) => {
  expect(judged(box, lookedAt)).toEqual([]);
});
