/** A machine that nobody owns, in the embedded control plane: asked for over HTTP, ended on this machine. Runs real agents. */
import type { Intent } from "@muster/core/ports/provider.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type InProcess, openPlane } from "../support/plane.ts";
import { until } from "../support/until.ts";

let plane: InProcess;
beforeAll(async () => {
  plane = await openPlane();
});
afterAll(() => plane.close());

const CLUSTER = "01J00000000000000000000000";

async function swept(dryRun: boolean) {
  const { id } = await plane.api.sweeps.create({ body: { dryRun } });
  return until("the sweep to be done", async () => {
    const info = await plane.api.sweeps.get({ params: { sweep: id } });
    return info.state === "done" ? info : undefined;
  });
}

test("a machine without a record is shown by a dry run, and ended by the run itself", async () => {
  const provider = plane.plane.world.providers.get("local");
  if (provider === undefined) throw new Error("there is no local provider");
  const [offer] = (await provider.offers({}, 1)).offers;
  const intent: Intent = {
    ...{ workspace: "local", clusterId: `clu_${CLUSTER}`, generation: 1, try: 1, group: "main", resources: {} },
    offer: offer!,
    label: { cluster: "demo", owner: "usr_ada" },
    onPowerOff: "stop",
    hosts: [{ hostId: `hst_${CLUSTER}_0`, rank: 0, enrollmentToken: "enr_of_nobody" }],
  };
  const [machine] = await provider.launch(intent);
  const found = { kind: "machine", provider: "local", id: machine?.machineId, act: "terminate" };
  expect(await swept(true)).toMatchObject({ dryRun: true, total: 1, items: [{ ...found, outcome: "found" }] });
  expect(await provider.sweep()).toHaveLength(1);
  expect(await swept(false)).toMatchObject({ problems: [], items: [{ ...found, outcome: "done" }] });
  await until("the machine to be gone", async () => ((await provider.sweep()).length === 0 ? true : undefined));
  expect(await swept(true)).toMatchObject({ total: 0, items: [] });
});
