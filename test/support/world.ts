/** A world for tests of core: the real SQLite table in memory, a clock set by the test, and a provider with dials. */
import { MusterError } from "@muster/core/error.ts";
import type { Blobs } from "@muster/core/ports/blobs.ts";
import type {
  Capabilities,
  ClusterRef,
  Intent,
  Kicked,
  Machine,
  MachineProvider,
  Offer,
} from "@muster/core/ports/provider.ts";
import type { Change, Table } from "@muster/core/ports/table.ts";
import type { Whole } from "@muster/core/ports/world.ts";
import type { Resources } from "@muster/core/task/task.ts";
import { openTable } from "@muster/local/table/table.ts";
import { createDigest } from "@muster/node/digest.ts";
import { createRandom } from "@muster/node/random.ts";
import { nobody } from "./nobody.ts";
import { nowhere } from "./nowhere.ts";
import { type MemorySecrets, memorySecrets } from "./secrets.ts";

export class TestClock {
  #now = Date.UTC(2026, 0, 1);
  now = (): number => this.#now;
  pass(ms: number): void {
    this.#now += ms;
  }
}

const offerOf = (instanceType: string): Offer => ({
  provider: "fake",
  instanceType,
  market: "on_demand",
  cpus: 4,
  memory: 16,
  accelerators: {},
  hourly: 0.1,
});

/** A provider of ours with dials; it proves what core does, and nothing about any cloud. */
export class FakeProvider implements MachineProvider {
  readonly name: string = "fake";
  capabilities: Capabilities = { stop: true, settle: 0, unknown: 600_000, boot: 300_000 };
  readonly machines = new Map<string, Machine>();
  readonly intents: Intent[] = [];
  /** By call: which hosts, on which machines. */
  readonly kicks: (readonly Kicked[])[] = [];
  readonly offered = [offerOf("small"), offerOf("large")];
  /** Machine types without capacity, and groups, such as `group:workers`. */
  readonly full = new Set<string>();
  /** Thrown by the next launch after it has made its machines. */
  loseAnswer: Error | undefined;
  /** When false, terminated machines stay for ever. */
  obeys = true;
  canStart = true;

  offers = async ({ instanceType }: Resources) => {
    const offers = this.offered.filter(offer => offer.instanceType === (instanceType ?? offer.instanceType));
    return offers.length > 0 ? { offers } : { offers, reason: `there is no ${instanceType}` };
  };
  catalog = async () => this.offered.map(offer => ({ ...offer, zones: [] }));
  checks = async () => [];

  async launch(intent: Intent): Promise<Machine[]> {
    this.intents.push(intent);
    if (this.full.has(intent.offer.instanceType) || this.full.has(`group:${intent.group}`))
      throw new MusterError("no_capacity", `no ${intent.offer.instanceType} left`);
    const made = intent.hosts.map(host => {
      const machineId = `${intent.clusterId}-${intent.generation}-${intent.try}-${host.rank}`;
      const { workspace, clusterId, generation } = intent;
      const machine: Machine = {
        machineId,
        state: "running",
        workspace,
        clusterId,
        generation,
        try: intent.try,
        hostId: host.hostId,
        launchedAt: 0,
      };
      this.machines.set(machineId, this.machines.get(machineId) ?? machine);
      return machine;
    });
    const lost = this.loseAnswer;
    this.loseAnswer = undefined;
    if (lost) throw lost;
    return made;
  }

  observe = async (ref: { readonly clusterId: string }) =>
    [...this.machines.values()].filter(machine => machine.clusterId === ref.clusterId);
  /** Where it tells of machines that have ended. */
  ended?: NonNullable<MachineProvider["ended"]>;
  start = async (ref: { readonly clusterId: string }) => {
    if (!this.canStart) throw new MusterError("no_capacity", "no room to start");
    this.#power(ref.clusterId, "running");
  };
  stop = async (ref: { readonly clusterId: string }) => this.#power(ref.clusterId, "stopped");
  /** What machines do when they power themselves off, by cluster, as it was last said. */
  readonly powerOffs = new Map<string, "stop" | "terminate">();
  setPowerOff = async (ref: { readonly clusterId: string }, action: "stop" | "terminate") =>
    void this.powerOffs.set(ref.clusterId, action);
  why = async () => ["it said nothing"];
  terminate = async (ids: readonly string[]) => {
    if (this.obeys) for (const id of ids) this.machines.delete(id);
  };
  sweep = async () => [...this.machines.values()];
  kick = async (_: ClusterRef, hosts: readonly Kicked[]) => {
    this.kicks.push(hosts);
  };

  #power(clusterId: string, state: "running" | "stopped"): void {
    for (const machine of this.machines.values())
      if (machine.clusterId === clusterId) this.machines.set(machine.machineId, { ...machine, state });
  }
}

/** Blobs in memory, for tests that look at what core asks of them. */
export function memoryBlobs(): Blobs {
  const held = new Map<string, Uint8Array>();
  const head = (key: string) => ({ key, size: held.get(key)?.length ?? 0, writtenAt: 0 });
  return {
    put: async (key, bytes) => void held.set(key, bytes),
    get: async key => held.get(key),
    head: async key => (held.has(key) ? head(key) : undefined),
    list: async (prefix, options = {}) =>
      [...held.keys()]
        .filter(key => key.startsWith(prefix) && key > (options.after ?? ""))
        .sort()
        .slice(0, options.limit ?? 1000)
        .map(head),
    remove: async key => void held.delete(key),
    postPolicy: async grant => ({ url: "memory:", fields: {}, ...grant }),
    signedGet: async key => `memory:${key}`,
  };
}

export interface TestWorld extends Whole {
  readonly secrets: MemorySecrets;
  readonly clock: TestClock;
  readonly provider: FakeProvider;
  /** Everything that was committed, in order. */
  readonly changes: Change[];
  readonly errors: string[];
  /** The next so many writes of two or more items are refused. */
  refuse(times: number): void;
}

export function testWorld(): TestWorld {
  const clock = new TestClock();
  const provider = new FakeProvider();
  const changes: Change[] = [];
  const errors: string[] = [];
  let refusals = 0;
  const digest = createDigest("a key for tests, 32 bytes or more");
  const table: Table = openTable({
    path: ":memory:",
    digest,
    now: clock.now,
    onCommit: more => void changes.push(...more),
    refuse: () => refusals-- > 0,
  });
  return {
    table,
    blobs: memoryBlobs(),
    workflow: { start: async () => false },
    providers: new Map([[provider.name, provider]]),
    secrets: memorySecrets(clock.now),
    clock,
    random: createRandom(clock),
    digest,
    issuers: nobody,
    log: { info: () => undefined, error: message => void errors.push(message) },
    ...nowhere,
    provider,
    changes,
    errors,
    refuse: times => {
      refusals = times;
    },
  };
}

export const ADA = { workspace: "acme", id: "usr_ada", role: "member" } as const;
export const BEN = { workspace: "acme", id: "usr_ben", role: "member" } as const;
export const EVE = { workspace: "elsewhere", id: "usr_eve", role: "admin" } as const;
