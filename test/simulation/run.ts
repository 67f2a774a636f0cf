/** One run: a seed in, a result out. Bad weather, then calm, then silence. */
import { Accepted } from "./clients.ts";
import { SWEEP_ORPHANS, startControl } from "./control.ts";
import type { Fault } from "./faults.ts";
import { watchArrays } from "./invariants/arrays.ts";
import { watchAttempts } from "./invariants/attempts.ts";
import { watchCosts } from "./invariants/costs.ts";
import { watchDisks, watchSnapshots } from "./invariants/disks.ts";
import { idlePatience, watchIdle } from "./invariants/idle.ts";
import { checkKept, overdue, unended, unsettled, wasteful } from "./invariants/liveness.ts";
import { watchMachines, watchOrphans } from "./invariants/machines.ts";
import { watchOrder } from "./invariants/order.ts";
import { watchPauses, watchPools } from "./invariants/pools.ts";
import { watchQuotas } from "./invariants/quotas.ts";
import { watchRecords } from "./invariants/records.ts";
import { watchRetries } from "./invariants/retries.ts";
import { LONGEST_LEFT, left, watchSecrets } from "./invariants/secrets.ts";
import { workLeft } from "./invariants/work.ts";
import { MINUTE } from "./kernel.ts";
import { endSchedules } from "./order.ts";
import { endPools, kept, unfilled } from "./pools.ts";
import { LONGEST_STALL } from "./process.ts";
import { removeAll, startUsers } from "./scenarios.ts";
import { type Settings, Sim, type Violation } from "./sim.ts";
import { watchVersions } from "./versions.ts";

export interface Result {
  readonly seed: number;
  /** Of every event in order: two runs of one seed have the same. */
  readonly hash: string;
  readonly events: number;
  /** Virtual minutes. */
  readonly minutes: number;
  readonly hits: Readonly<Record<Fault, number>>;
  readonly nouns: Readonly<Record<string, number>>;
  readonly violations: readonly Violation[];
}

/** How long something that was sent in bad weather may take to land, in ms. */
const LAST_LANDING = LONGEST_STALL + 5 * MINUTE;

/**
 * How long calm may take until everything is at rest, in ms: two of core's hourly backstops, and what they start. The work that
 * is left comes beside it, and the pauses of pools whose setups still fail.
 */
const SETTLE_BOUND = 150 * MINUTE;

export async function run(seed: number, steps: number, settings?: Settings): Promise<Result> {
  const sim = new Sim(seed, settings);
  const accepted = new Accepted(sim);
  const startedAt = sim.now;
  watch(sim);
  startControl(sim);
  startUsers(sim, accepted);
  const isBroken = () => sim.violations.length > 0;
  await sim.kernel.run(() => isBroken() || sim.kernel.steps >= steps);
  if (!isBroken()) await calm(sim, accepted, isBroken);
  return {
    seed,
    hash: sim.kernel.hash,
    events: sim.kernel.events,
    minutes: (sim.now - startedAt) / MINUTE,
    hits: sim.faults.hits,
    nouns: count(sim),
    violations: sim.violations,
  };
}

/** Every invariant that holds with every commit. */
export function watch(sim: Sim): void {
  watchRecords(sim);
  watchAttempts(sim);
  watchMachines(sim);
  watchRetries(sim);
  watchOrder(sim);
  watchArrays(sim);
  watchPools(sim);
  watchDisks(sim);
  watchCosts(sim);
  watchQuotas(sim);
  watchSecrets(sim);
  watchIdle(sim);
  watchVersions(sim);
}

/**
 * What must come true when nothing goes wrong any more.
 * @param landing how long what was sent before may still be on its way, in ms
 */
export async function calm(
  sim: Sim,
  accepted: Accepted,
  isBroken: () => boolean,
  landing = LAST_LANDING,
): Promise<void> {
  sim.kernel.note("calm");
  sim.faults.on = false;
  sim.clearedAt = sim.now;
  sim.isOpen = false;
  for (const box of sim.cloud.boxes) box.cutUntil = 0;
  watchOrphans(sim);
  watchSnapshots(sim);
  // What was on its way when the weather cleared still lands.
  await sim.kernel.run(isBroken, sim.now + landing);
  void endSchedules(sim, accepted);
  await sim.kernel.run(isBroken, sim.now + MINUTE);
  const [work, paused] = [workLeft(sim), watchPauses(sim)];
  await until(
    sim,
    () => [...unsettled(sim), ...unfilled(sim)],
    isBroken,
    () => work + paused(),
  );
  await sim.kernel.run(isBroken, sim.now + idlePatience(sim));
  for (const what of wasteful(sim)) sim.violate("I16", what);
  sim.kernel.note("all are removed");
  void endPools(sim, accepted);
  await until(sim, () => kept(sim), isBroken);
  void removeAll(sim, accepted);
  await sim.kernel.run(isBroken, sim.now + MINUTE);
  await until(sim, () => unended(sim), isBroken);
  checkKept(sim, accepted);
  if (!isBroken()) await silence(sim, isBroken);
  if (!isBroken()) await forgotten(sim, isBroken);
}

/**
 * Goes on until nothing is open, and says what still is when the time is over.
 * @param rightly how long may be waited beside that with good reason, in ms, as far as is known by now
 */
async function until(sim: Sim, open: () => string[], isBroken: () => boolean, rightly = () => 0): Promise<void> {
  const bound = sim.now + SETTLE_BOUND;
  while (!isBroken() && open().length > 0 && sim.now < bound + rightly()) {
    await sim.kernel.run(isBroken, sim.now + MINUTE);
    for (const what of overdue(sim)) sim.violate("I14", what);
  }
  if (!isBroken()) for (const what of open()) sim.violate("I2", what);
}

/**
 * I10: three sweeps with nothing to do write nothing; and I1: no machine is left. The first sweep after the last machine has gone
 * has something to do: it writes how many hosts there are, by which the brake judges what is many.
 */
async function silence(sim: Sim, isBroken: () => boolean): Promise<void> {
  sim.kernel.note("silence");
  await sim.kernel.run(isBroken, sim.now + SWEEP_ORPHANS + 2 * MINUTE);
  const before = sim.db.writes;
  await sim.kernel.run(isBroken, sim.now + 3 * SWEEP_ORPHANS + MINUTE);
  if (sim.db.writes !== before) sim.violate("I10", `${sim.db.writes - before} writes while nothing happens`);
  for (const box of sim.cloud.boxes)
    if (box.state !== "terminated") sim.violate("I1", `${box.id} is ${box.state} at the end`);
  for (const one of sim.cloud.snapshots.all) sim.violate("I1", `a snapshot of ${one.hostId} is left at the end`);
}

/** I19: what nobody heard of is found, and nothing stays. */
async function forgotten(sim: Sim, isBroken: () => boolean): Promise<void> {
  await sim.kernel.run(() => isBroken() || left(sim).length === 0, sim.now + LONGEST_LEFT);
  for (const what of left(sim)) sim.violate("I19", what);
}

/** How much happened: by type and last state. */
function count(sim: Sim): Record<string, number> {
  const restored = sim.cloud.boxes.filter(box => box.isRestored).length;
  const jobs = [...sim.db.all("job")].filter(({ data }) => Number(data.attempts) > 1).length;
  const clusters = [...sim.db.all("cluster")].filter(
    ({ data }) => data.managedBy && Number(data.generation) > 1,
  ).length;
  const events = [...sim.db.all("event")].map(item => item.data);
  const found: Record<string, number> = {
    "job.released": events.filter(({ kind, from }) => kind === "job.queued" && from === "waiting").length,
    "schedule.launched": events.filter(({ kind }) => kind === "schedule.launched").length,
    "pool.taken": events.filter(({ kind }) => kind === "pool.taken").length,
    machine: sim.cloud.boxes.length,
    "machine.restored": restored,
    "job.retried": jobs,
    "cluster.renewed": clusters,
  };
  for (const type of ["cluster", "job", "array"])
    for (const item of sim.db.all(type)) {
      const name = `${type}.${item.data.state}`;
      found[name] = (found[name] ?? 0) + 1;
    }
  return found;
}
