/** The judge of snapshots, shown copies of the disk of a machine whose cluster has no record. */
import { expect, test } from "vitest";
import { emptyDisk } from "../host/disk.ts";
import { MINUTE } from "../kernel.ts";
import type { Box } from "../ports/cloud.ts";
import { Sim } from "../sim.ts";
import { watchSnapshots } from "./disks.ts";

const move = { workspace: "acme", clusterId: "clu_01MCC6CZY1YDM45Q6FX4CSJB72", move: 3 };
const box: Pick<Box, "id" | "hostId" | "state" | "disk"> = {
  id: "m-1",
  hostId: "hst_01MCC6CZY1YDM45Q6FX4CSJB72",
  state: "stopped",
  disk: emptyDisk(),
};

function watched() {
  const sim = new Sim(1);
  watchSnapshots(sim);
  return {
    copy: () => sim.cloud.snapshots.take("steel", move, [box as Box]),
    sweep: () => sim.cloud.snapshots.delete(move),
    /** @returns what is amiss then. */
    after: async (minutes: number) => {
      await sim.kernel.run(() => false, sim.now + minutes * MINUTE);
      return sim.violations.map(({ invariant }) => invariant);
    },
  };
}

test("a copy that nobody needs is amiss once two sweeps have left it", async () => {
  const { copy, after } = watched();
  copy();
  expect(await after(13)).toEqual([]);
  expect(await after(1)).toEqual(["I1"]);
});

test("a copy that a late call made anew is as old as it is, and not as those that were swept before it", async () => {
  const { copy, sweep, after } = watched();
  copy();
  await after(5);
  sweep();
  await after(5);
  copy();
  expect(await after(13)).toEqual([]);
  expect(await after(1)).toEqual(["I1"]);
});

test("a copy made anew between two looks is a new one too", async () => {
  const { copy, sweep, after } = watched();
  copy();
  await after(5.5);
  sweep();
  copy();
  expect(await after(13)).toEqual([]);
  expect(await after(1)).toEqual(["I1"]);
});
