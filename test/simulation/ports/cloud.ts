/**
 * A cloud that does not exist, with what is known of those that do: launches are idempotent by their token, for ever; what
 * is new shows late; ending takes time; machines hang, die and disappear without a word.
 */
import { MusterError } from "@muster/core/error.ts";
import type {
  ClusterRef,
  Intent,
  Machine,
  MachineState,
  MoveRef,
  Offer,
  Snapshot,
} from "@muster/core/ports/provider.ts";
import { copyOf, type Disk, emptyDisk, type Script } from "../host/disk.ts";
import { SECOND } from "../kernel.ts";
import type { Process } from "../process.ts";
import type { Sim } from "../sim.ts";
import { Snapshots } from "./snapshots.ts";

/** A machine, with all that is on it. */
export interface Box {
  readonly id: string;
  readonly provider: string;
  readonly workspace: string;
  readonly clusterId: string;
  readonly generation: number;
  readonly try: number;
  readonly group: string;
  readonly hostId: string;
  readonly enrollmentToken: string;
  readonly launchedAt: number;
  readonly visibleAt: number;
  readonly disk: Disk;
  /** Whether its disk was made from a snapshot. */
  readonly isRestored: boolean;
  /** What runs: gone when the machine goes down. By attempt. */
  scripts: Map<string, Script>;
  state: MachineState;
  /** Counts its boots, so that what was meant for an earlier one is known as such. */
  boots: number;
  /** When the last of them began. */
  bootedAt: number;
  /** Never to be heard of again, though it may run. */
  isSick: boolean;
  /** Until when it reaches nobody. */
  cutUntil: number;
  agent: { dead: boolean; wake(): void } | undefined;
}

const offer = (provider: string, zone: string, hourly: number): Offer => ({
  provider,
  instanceType: "m1",
  zone,
  market: "on_demand",
  cpus: 4,
  memory: 16,
  accelerators: { A100: 2 },
  hourly,
});

/** What each provider has, and whether its machines can be stopped, and their disks moved. */
export const PROVIDERS = {
  steel: { stop: true, offers: [offer("steel", "a", 1), offer("steel", "b", 2), offer("steel", "c", 3)] },
  spark: { stop: false, offers: [offer("spark", "a", 1), offer("spark", "b", 2)] },
} as const;
export type ProviderName = keyof typeof PROVIDERS;

type Watcher = (intent: Intent, provider: string) => void;

/** What happens on a machine when its power comes and goes. */
export interface Power {
  on(box: Box): void;
  off(box: Box): void;
}

export class Cloud {
  readonly #sim: Sim;
  readonly #sets = new Map<string, readonly Box[]>();
  readonly #looks = new WeakMap<Process, Map<string, number>>();
  readonly boxes: Box[] = [];
  readonly snapshots: Snapshots;
  /** Asked before a new set of machines comes to be. */
  readonly watchers: Watcher[] = [];
  /** Asked before a machine ends because somebody said so. */
  onEnd: (box: Box) => void = () => undefined;
  /** Until when it refuses every call. */
  deniedUntil = 0;
  power: Power = { on: () => undefined, off: () => undefined };

  constructor(sim: Sim) {
    this.#sim = sim;
    this.snapshots = new Snapshots(sim);
  }

  launch(provider: string, intent: Intent): readonly Machine[] {
    const token = `${intent.clusterId}/${intent.generation}/${intent.try}`;
    const known = this.#sets.get(token);
    if (known) return known.map(view);
    if (this.#sim.faults.happens("noCapacity")) throw new MusterError("no_capacity", "no such machine is free now");
    for (const watch of this.watchers) watch(intent, provider);
    const set = intent.hosts.map((host, index) => this.#create(provider, intent, host, index));
    this.#sets.set(token, set);
    this.boxes.push(...set);
    for (const box of set) this.#boot(box);
    return set.map(view);
  }

  #create(provider: string, intent: Intent, host: Intent["hosts"][number], index: number): Box {
    return {
      id: `m-${this.boxes.length + index + 1}`,
      provider,
      workspace: intent.workspace,
      clusterId: intent.clusterId,
      generation: intent.generation,
      try: intent.try,
      group: intent.group,
      hostId: host.hostId,
      enrollmentToken: host.enrollmentToken,
      launchedAt: this.#sim.now,
      visibleAt: this.#sim.now + this.#sim.rng.int(this.#sim.climate.cloudLag + 1),
      disk: this.#diskOf(intent, host.hostId),
      isRestored: intent.move !== undefined,
      scripts: new Map(),
      state: "pending",
      boots: 0,
      bootedAt: this.#sim.now,
      isSick: false,
      cutUntil: 0,
      agent: undefined,
    };
  }

  /** @throws MusterError `unavailable` where a snapshot is not there, or not whole. */
  #diskOf(intent: Intent, hostId: string): Disk {
    if (intent.move === undefined) return emptyDisk();
    const kept = this.snapshots.find({ ...intent, move: intent.move }, hostId);
    if (kept?.state === "complete") return copyOf(kept.disk);
    throw new MusterError("unavailable", `the snapshot of ${hostId} cannot be had`);
  }

  #boot(box: Box): void {
    box.state = "pending";
    box.boots++;
    box.bootedAt = this.#sim.now;
    const boot = box.boots;
    if (this.#sim.faults.happens("bootHang")) {
      box.isSick = true;
      // Some are given up by the cloud in the end; others get there, but nothing on them works.
      if (this.#sim.rng.chance(0.5)) {
        this.#giveUp(box, boot);
        return;
      }
    }
    this.#after(box, this.#sim.rng.between(20, 80), () => {
      if (box.state !== "pending" || box.boots !== boot) return;
      box.state = "running";
      if (!box.isSick) this.power.on(box);
    });
  }

  #giveUp(box: Box, boot: number): void {
    this.#after(box, 1800, () => {
      if (box.state === "pending" && box.boots === boot) box.state = boot === 1 ? "terminated" : "stopped";
    });
  }

  snapshot(provider: string, of: MoveRef, ids: readonly string[]): readonly Snapshot[] {
    return this.snapshots.take(
      provider,
      of,
      this.#visible(provider, of).filter(box => ids.includes(box.id)),
    );
  }

  shown(provider: string, cluster?: ClusterRef): readonly Machine[] {
    return this.#visible(provider, cluster).map(view);
  }

  /** Machines that end, or have ended; those that never showed are not among them. */
  ended(provider: string, { workspace, clusterId }: ClusterRef): readonly Machine[] {
    return this.boxes
      .filter(box => box.provider === provider && box.workspace === workspace && box.clusterId === clusterId)
      .filter(box => OVER.has(box.state) && box.visibleAt <= this.#sim.now)
      .map(view);
  }

  #visible(provider: string, cluster?: ClusterRef): Box[] {
    if (this.boxes.some(box => box.visibleAt > this.#sim.now)) this.#sim.faults.meet("cloudLags");
    return this.boxes.filter(
      box =>
        box.provider === provider &&
        box.state !== "terminated" &&
        box.visibleAt <= this.#sim.now &&
        (cluster === undefined || (box.workspace === cluster.workspace && box.clusterId === cluster.clusterId)),
    );
  }

  /** One that does not show yet is not found, which says nothing about it. */
  terminate(provider: string, ids: readonly string[]): void {
    for (const box of this.#visible(provider).filter(one => ids.includes(one.id) && one.state !== "terminating")) {
      this.onEnd(box);
      this.#down(box, "terminating");
      this.#after(box, this.#sim.rng.between(5, 35), () => {
        box.state = "terminated";
      });
    }
  }

  stop(provider: string, cluster: ClusterRef): void {
    for (const box of this.#visible(provider, cluster).filter(one => one.state === "running")) {
      this.#down(box, "stopping");
      this.#after(box, this.#sim.rng.between(5, 20), () => {
        if (box.state === "stopping") box.state = "stopped";
      });
    }
  }

  start(provider: string, cluster: ClusterRef): void {
    const stopped = this.#visible(provider, cluster).filter(box => box.state === "stopped");
    if (stopped.length > 0 && this.#sim.faults.happens("startRefused"))
      throw new MusterError("no_capacity", "no machine of this type can be started now");
    for (const box of stopped) this.#boot(box);
  }

  /** By somebody at the cloud's own console. */
  startByHand(box: Box): void {
    this.#boot(box);
  }

  /** A process was told how a cluster's machines were at that time. */
  told(process: Process, { clusterId }: ClusterRef, at: number): void {
    this.#looks.set(process, (this.#looks.get(process) ?? new Map<string, number>()).set(clusterId, at));
  }

  /** When a process last looked at a cluster's machines, by what it was told; undefined: it was told nothing. */
  lookedAt = (process: Process, clusterId: string): number | undefined => this.#looks.get(process)?.get(clusterId);

  /** Without a word to anybody. */
  vanish(box: Box): void {
    box.isSick = true;
    this.#down(box, "terminated");
  }

  #down(box: Box, state: MachineState): void {
    box.state = state;
    this.power.off(box);
  }

  #after(box: Box, seconds: number, run: () => void): void {
    this.#sim.kernel.at(seconds * SECOND, `${box.id} moves on from ${box.state}`, run);
  }
}

const OVER: ReadonlySet<MachineState> = new Set(["terminating", "terminated"]);

export const runs = (box: Box): boolean => box.state === "running" || box.state === "pending";

function view(box: Box): Machine {
  const { workspace, clusterId, generation, hostId, launchedAt } = box;
  return { machineId: box.id, state: box.state, workspace, clusterId, generation, try: box.try, hostId, launchedAt };
}
