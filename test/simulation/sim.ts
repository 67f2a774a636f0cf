/** One simulated deployment and its surroundings: what every part of a run shares. */
import { type Fault, Faults } from "./faults.ts";
import { Kernel, sinceStart } from "./kernel.ts";
import type { Mix } from "./mixes.ts";
import { BlobStore } from "./ports/blobs.ts";
import { Cloud } from "./ports/cloud.ts";
import { SecretStore } from "./ports/secrets.ts";
import { Db } from "./ports/table.ts";
import type { Executions } from "./ports/workflow.ts";
import type { Plan } from "./process.ts";
import { Rng } from "./rng.ts";

export interface Violation {
  /** The invariant's name, such as `I5`. */
  readonly invariant: string;
  readonly message: string;
}

/** What a run draws before it begins. */
export interface Climate {
  /** Greatest latency of one way of a call, in ms. */
  readonly latency: number;
  /** How far the indexes lag at most, in ms. */
  readonly indexLag: number;
  /** How long new machines may be missing from what the cloud shows, in ms. */
  readonly cloudLag: number;
  /** How far the clocks of two invocations may be apart, in ms. */
  readonly skew: number;
  /** How long an invocation may last, in ms. */
  readonly limit: number;
  /** Whether there is a workflow engine that drives. */
  readonly driven: boolean;
  /** Whether the cloud takes so few launch calls that they wait for each other. */
  readonly queues: boolean;
  /** Whether a deployment is under way: invocations run code of two versions. */
  readonly deploys: boolean;
}

export interface Settings {
  /** Takes the trace. */
  readonly lines?: string[] | undefined;
  /** Faults that are left out. */
  readonly without?: readonly Fault[];
  /** What is not left to chance. */
  readonly climate?: Partial<Climate>;
  /** What users do, in the place of what the seed draws. */
  readonly mix?: Mix | undefined;
}

export class Sim {
  readonly rng: Rng;
  readonly kernel: Kernel;
  readonly faults: Faults;
  readonly climate: Climate;
  readonly mix: Mix | undefined;
  readonly db: Db;
  readonly blobs: BlobStore;
  readonly secrets = new SecretStore();
  readonly cloud: Cloud;
  readonly violations: Violation[] = [];
  /** Says what befalls which call; absent: chance does. */
  plan: Plan | undefined;
  /** Absent: nobody drives but the reconcilers' own callers. */
  executions: Executions | undefined;
  /** Whether users still act. */
  isOpen = true;
  /** Since when nothing goes wrong any more, of the virtual clock, in ms; undefined while it still may. */
  clearedAt: number | undefined;

  constructor(seed: number, { lines, without = [], climate, mix }: Settings = {}) {
    this.rng = new Rng(seed);
    this.kernel = new Kernel(this.rng, lines);
    this.faults = new Faults(this.rng, without);
    this.climate = { ...draw(this.rng), ...climate };
    this.mix = mix;
    this.db = new Db(this);
    this.blobs = new BlobStore(this.kernel);
    this.cloud = new Cloud(this);
  }

  get now(): number {
    return this.kernel.now;
  }

  /** Recorded, not only thrown: code under test may catch. */
  violate(invariant: string, message: string): void {
    this.violations.push({ invariant, message: `${message} (at ${sinceStart(this.now)} s)` });
    this.kernel.note(`VIOLATION ${invariant} ${message}`);
  }
}

function draw(rng: Rng): Climate {
  return {
    latency: 1 + rng.int(400),
    indexLag: rng.int(20_000),
    cloudLag: rng.int(rng.pick([20_000, 90_000])),
    skew: rng.chance(0.5) ? 0 : rng.int(5_000),
    limit: rng.pick([30_000, 90_000, 900_000]),
    driven: rng.chance(0.3),
    queues: rng.chance(0.5),
    deploys: rng.chance(0.5),
  };
}
