/** The `local` provider: a cluster of N hosts is N agents on this machine, each with a folder of its own. */
import { createHash } from "node:crypto";
import { MusterError } from "@muster/core/error.ts";
import { savedOf } from "@muster/core/image/name.ts";
import type { Clock, Log } from "@muster/core/ports/ports.ts";
import type { Capabilities, ClusterRef, Intent, Machine, MachineProvider } from "@muster/core/ports/provider.ts";
import { freeAddress } from "./addresses.ts";
import { Images } from "./images.ts";
import { Lanes } from "./lanes.ts";
import { type MachineRecord, Rack } from "./machine.ts";
import { Machines } from "./machines.ts";
import { checkOf, inventory, listedOf, offersOf } from "./offers.ts";
import { Power } from "./power.ts";

export interface LocalOptions {
  /** Folder of the machines' folders. */
  readonly folder: string;
  /** Folder of the images' folders; beside the other when absent. */
  readonly images?: string;
  readonly agent: readonly [string, ...string[]];
  readonly endpoint: () => string;
  readonly clock: Clock;
  readonly log: Log;
}

const capabilities: Capabilities = { stop: true, image: true, settle: 0, unknown: 5_000, boot: 60_000 };

/** More than anyone's machine should be asked to play. */
const MOST_MACHINES = 64;

export interface LocalProvider extends MachineProvider {
  /**
   * Starts the agents that should live and do not: after a crash of theirs, of the control plane, or of the machine.
   * @returns ids of the machines that were there the last time and are gone
   */
  tend(): Promise<readonly string[]>;
}

export function localProvider(options: LocalOptions): LocalProvider {
  const rack = new Rack(options.folder, options.log);
  const power = new Power({ ...options, rack });
  const machines = new Machines(rack, power, options.log);
  const { images: folder = `${options.folder}-images`, clock, log } = options;
  const images = new Images({ folder, rack, clock, log });
  const machine = inventory();
  const launches = new Lanes();
  const present = new Present();
  const ofCluster = async (ref: ClusterRef) =>
    (await rack.list()).filter(record => record.workspace === ref.workspace && record.clusterId === ref.clusterId);
  const each = async (ref: ClusterRef, what: (machineId: string) => Promise<void>) => {
    await Promise.all((await ofCluster(ref)).map(record => what(record.machineId)));
  };

  return {
    name: "local",
    capabilities,
    offers: async resources => offersOf(machine, resources),
    catalog: async () => [listedOf(machine)],
    checks: async () => [checkOf(machine)],
    launch: async intent => {
      // One at a time: two launches must not choose the same address.
      const records = await launches.run("launch", () => launch(rack, machines, images, options.clock, intent));
      for (const { machineId } of records) present.add(machineId);
      await Promise.all(records.map(record => machines.wake(record.machineId)));
      return records.map(seen);
    },
    observe: async ref => (await ofCluster(ref)).map(seen),
    start: ref => each(ref, id => machines.start(id)),
    stop: ref => each(ref, id => machines.stop(id)),
    terminate: async ids => {
      await Promise.all(ids.map(id => machines.terminate(id)));
    },
    sweep: async () => (await rack.list()).map(seen),
    saveImage: intent => images.save(intent),
    image: ref => images.image(ref),
    images: () => images.list(),
    deleteImage: ref => images.remove(ref),
    kick: async (ref, hosts) => {
      const wanted = new Set(hosts.map(host => host.hostId));
      const records = (await ofCluster(ref)).filter(record => wanted.has(record.hostId));
      await Promise.all(records.map(record => power.kick(record.machineId)));
    },
    tend: async () => {
      const gone = present.goneFrom(await rack.present());
      await Promise.all(gone.map(machineId => machines.bury(machineId)));
      await Promise.all((await rack.list()).map(record => machines.tend(record)));
      return gone;
    },
  };
}

/** Which machines there are, round by round: what a cloud would tell of its own accord when one has gone. */
class Present {
  #names = new Set<string>();

  /** One that was made between two rounds, and may be gone before the next. */
  add(name: string): void {
    this.#names.add(name);
  }

  /** Takes note of those that are there now. @returns the others of the last time */
  goneFrom(names: readonly string[]): readonly string[] {
    const now = new Set(names);
    const gone = [...this.#names].filter(name => !now.has(name));
    this.#names = now;
    return gone;
  }
}

/** The machines of the intent: those that are there already, and the rest made now. */
async function launch(
  rack: Rack,
  machines: Machines,
  images: Images,
  clock: Clock,
  intent: Intent,
): Promise<MachineRecord[]> {
  const all = await rack.list();
  const others = all.filter(record => record.clusterId !== intent.clusterId || record.try !== intent.try);
  if (others.length + intent.hosts.length > MOST_MACHINES)
    throw new MusterError("no_capacity", `this machine plays ${MOST_MACHINES} hosts at most`, {
      hint: "end clusters with: muster down NAME",
    });
  const saved = savedOf(intent.resources);
  const furnish = saved && ((disk: string) => images.furnish({ ...intent, imageId: saved.id }, disk));
  const taken = new Set(all.map(record => record.address));
  const records: MachineRecord[] = [];
  for (const host of intent.hosts) {
    const { workspace, clusterId, generation } = intent;
    const machineId = nameOf(intent, host.rank);
    const fresh = (): MachineRecord => ({
      machineId,
      workspace,
      clusterId,
      generation,
      try: intent.try,
      hostId: host.hostId,
      rank: host.rank,
      address: freeAddress(taken),
      launchedAt: clock.now(),
      power: "on",
    });
    const record = await machines.make(machineId, host.enrollmentToken, fresh, furnish);
    taken.add(record.address);
    records.push(record);
  }
  return records;
}

/** The same intent makes the same machines. Short, because the agent's socket lies below it and its path is limited. */
const nameOf = (intent: Intent, rank: number): string =>
  `m${createHash("sha256").update(`${intent.workspace} ${intent.clusterId} ${intent.generation} ${intent.try} ${rank}`).digest("hex").slice(0, 15)}`;

const states = { on: "running", off: "stopped", ending: "terminating" } as const;

function seen(record: MachineRecord): Machine {
  const { machineId, workspace, clusterId, generation, hostId, launchedAt } = record;
  return {
    machineId,
    state: states[record.power],
    workspace,
    clusterId,
    generation,
    try: record.try,
    hostId,
    launchedAt,
  };
}
