/** What calls the control plane by itself: the doorbell after each commit, the cron, and chaos among the machines. */
import { answer, type Ring, ringFor, workspaceOf } from "@muster/core/doorbell.ts";
import { moved, warned } from "@muster/core/host/heard.ts";
import type { Change } from "@muster/core/ports/table.ts";
import { sweepSecrets } from "@muster/core/secret/sweep.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { sweepOrphans } from "@muster/core/sweep/orphans.ts";
import { execute } from "./engine.ts";
import type { Fault } from "./faults.ts";
import { bootHost, endHost, freeze, reboot, restartAgent } from "./host/host.ts";
import { clusterOf } from "./invariants/cluster-of.ts";
import { invoke } from "./invoke.ts";
import { MINUTE, SECOND } from "./kernel.ts";
import type { Box } from "./ports/cloud.ts";
import type { Written } from "./ports/table.ts";
import { Executions } from "./ports/workflow.ts";
import type { Sim } from "./sim.ts";

/** How often a ring is tried before it is a dead letter. */
const TRIES = 3;
export const SWEEP_DUE = MINUTE;
export const SWEEP_ORPHANS = 5 * MINUTE;
/** Oftener than it is: a run is short. */
export const SWEEP_SECRETS = 10 * MINUTE;
const CHAOS = 20 * SECOND;

export function startControl(sim: Sim): void {
  if (sim.climate.driven) sim.executions = new Executions((machine, ref) => void execute(sim, machine, ref));
  sim.db.observers.push((_, written) => {
    for (const one of written) listen(sim, one);
  });
  sim.cloud.power = { on: box => bootHost(sim, box), off: box => endHost(sim, box) };
  beat(sim, "cron due", SWEEP_DUE, () => void invoke(sim, "cron due", undefined, sweepDue));
  beat(sim, "cron orphans", SWEEP_ORPHANS, () => void invoke(sim, "cron orphans", undefined, sweepOrphans));
  beat(sim, "cron secrets", SWEEP_SECRETS, () => void invoke(sim, "cron secrets", undefined, sweepSecrets));
  chaos(sim);
}

function listen(sim: Sim, { key, after }: Written): void {
  const change: Change = after ? { item: after } : { removed: key };
  const ring = ringFor(change);
  if (ring === undefined || sim.faults.happens("ringLost")) return;
  schedule(sim, ring);
  if (sim.faults.happens("ringTwice")) schedule(sim, ring);
}

function schedule(sim: Sim, ring: Ring): void {
  const delay = sim.faults.happens("ringLate") ? sim.rng.int(2 * MINUTE) : 10 + sim.rng.int(500);
  sim.kernel.at(delay, `ring ${ring.do}`, () => void tryRing(sim, ring));
}

async function tryRing(sim: Sim, ring: Ring): Promise<void> {
  const workspace = workspaceOf(ring);
  for (let tries = 1; tries <= TRIES; tries++) {
    const outcome = await invoke(sim, `ring ${ring.do}`, workspace, world => answer(world, ring));
    if (outcome.kind === "done") return;
    await sim.kernel.sleep(sim.rng.between(SECOND, MINUTE), `ring ${ring.do} again`);
  }
}

function beat(sim: Sim, name: string, every: number, run: () => void): void {
  let quietUntil = 0;
  const next = () => {
    sim.kernel.at(every, name, next);
    if (sim.faults.happens("cronStops")) quietUntil = sim.now + sim.rng.int(30 * MINUTE);
    if (sim.faults.on && sim.now < quietUntil) return;
    if (sim.faults.happens("cronTwice")) run();
    if (sim.faults.happens("cronLate")) sim.kernel.at(sim.rng.int(5 * MINUTE), `${name}, late`, run);
    else run();
  };
  sim.kernel.at(sim.rng.int(every), name, next);
}

const harms = [
  "machineDies",
  "machineTaken",
  "hostFreezes",
  "hostReboots",
  "agentRestarts",
  "partition",
  "eventStale",
] as const satisfies readonly Fault[];
type Harm = (typeof harms)[number];

const harm: Readonly<Record<Harm, (sim: Sim, box: Box) => void>> = {
  machineDies: (sim, box) => sim.cloud.vanish(box),
  machineTaken: take,
  hostFreezes: freeze,
  hostReboots: reboot,
  agentRestarts: restartAgent,
  partition: (sim, box) => {
    // Most end before anybody worries; some outlast all patience.
    box.cutUntil = sim.now + sim.rng.int((sim.rng.chance(0.2) ? 40 : 9) * MINUTE);
  },
  // Of an earlier state, or twice: it says nothing about the machine as it is.
  eventStale: (sim, { workspace, id }) => void invoke(sim, "event stale", workspace, world => moved(world, id)),
};

/** How much more befalls the machines of managed jobs: those are made for it. */
const MANAGED = 4;

/** The cloud says that it takes a machine back, does so, and says that, too; each of which may be lost. */
function take(sim: Sim, box: Box): void {
  const { workspace, id } = box;
  if (sim.rng.chance(0.8)) void invoke(sim, "event notice", workspace, world => warned(world, id, "interruption"));
  sim.kernel.at(sim.rng.int(2 * MINUTE), `${id} is taken back`, () => {
    if (box.state !== "running") return;
    sim.cloud.vanish(box);
    if (sim.rng.chance(0.3)) return;
    sim.kernel.at(sim.rng.int(MINUTE), `${id} is said to be gone`, () => {
      void invoke(sim, "event gone", workspace, world => moved(world, id));
    });
  });
}

function befall(sim: Sim, box: Box): void {
  const what = sim.faults.oneOf(harms, clusterOf(sim, box)?.managedBy ? MANAGED : 1) as Harm | undefined;
  if (what === undefined) return;
  sim.kernel.note(`${box.id} ${what}`);
  harm[what](sim, box);
}

function chaos(sim: Sim): void {
  sim.kernel.at(CHAOS, "chaos", () => {
    if (!sim.faults.on) return;
    if (sim.faults.happens("roleRevoked")) sim.cloud.deniedUntil = sim.now + sim.rng.int(15 * MINUTE);
    for (const box of sim.cloud.boxes.filter(one => one.state === "running" && !one.isSick)) befall(sim, box);
    for (const box of sim.cloud.boxes.filter(one => one.state === "stopped" && sim.faults.happens("startedByHand"))) {
      sim.kernel.note(`${box.id} startedByHand`);
      sim.cloud.startByHand(box);
    }
    chaos(sim);
  });
}
