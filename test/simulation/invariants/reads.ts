/**
 * I9: reads of a job, an array or a cluster by its id never go backwards. Whoever asks once an answer has come, to whomever of the
 * workspace, is told nothing older. Reads that overlap may be answered in any order. Lists are read from indexes that may lag, and
 * nothing is promised of them.
 */
import * as Cluster from "@muster/core/cluster/cluster.ts";
import { MusterError } from "@muster/core/error.ts";
import * as Id from "@muster/core/id.ts";
import * as Job from "@muster/core/job/job.ts";
import type { Outcome } from "../process.ts";
import type { Sim } from "../sim.ts";

/** How far it is with its end. */
const LIVES = 0;
const ENDING = 1;
const OVER = 2;

/** What an answer says of a job or a cluster. */
interface Sight {
  readonly state: string;
  readonly stage: number;
  /** What only ever grows. */
  readonly counts: Readonly<Record<string, number>>;
}

export type Known = ReadonlyMap<string, Sight>;

interface Asked {
  readonly name: string;
  readonly actor: { readonly workspace: string };
  /** Whether it asks for the end of what it names. */
  readonly ends?: boolean;
  /** Of a read: the id or the name that it asks for. */
  readonly looksAt?: string;
}

export class Reads {
  readonly #sim: Sim;
  readonly #known = new Map<string, Sight>();

  constructor(sim: Sim) {
    this.#sim = sim;
  }

  /** What has been answered when a read is sent. */
  known(): Known {
    return new Map(this.#known);
  }

  /** What was answered, read or not, is known from now on; and so is that its end was asked for. */
  hear({ actor, ends }: Asked, answer: unknown): void {
    for (const [id, sight] of sightsIn(answer)) {
      const key = `${actor.workspace} ${id}`;
      const asked = ends ? { ...sight, stage: Math.max(sight.stage, ENDING) } : sight;
      this.#known.set(key, newer(this.#known.get(key), asked));
    }
  }

  /** @param known when it was sent */
  judge({ name, actor, looksAt = "" }: Asked, known: Known, outcome: Outcome<unknown>): void {
    const of = (id: string) => known.get(`${actor.workspace} ${id}`);
    const before = of(looksAt);
    if (before !== undefined && isNotFound(outcome))
      this.#sim.violate("I9", `${name}: ${looksAt} was ${before.state}, and is not found`);
    if (outcome.kind !== "done") return;
    for (const [id, sight] of sightsIn(outcome.value)) {
      const older = of(id);
      if (older && isOlder(sight, older))
        this.#sim.violate("I9", `${name}: ${id} was ${JSON.stringify(older)}, and is ${JSON.stringify(sight)}`);
    }
  }
}

const isNotFound = (outcome: Outcome<unknown>): boolean =>
  outcome.kind === "threw" && outcome.error instanceof MusterError && outcome.error.code === "not_found";

function isOlder(is: Sight, was: Sight): boolean {
  const isOtherEnd = was.stage === OVER && is.state !== was.state;
  return isOtherEnd || is.stage < was.stage || Object.entries(was.counts).some(([of, n]) => (is.counts[of] ?? 0) < n);
}

/** All that two answers say together, whichever came first. */
function newer(one: Sight | undefined, other: Sight): Sight {
  if (one === undefined) return other;
  const names = Object.keys({ ...one.counts, ...other.counts });
  const counts = names.map(name => [name, Math.max(one.counts[name] ?? 0, other.counts[name] ?? 0)]);
  return { ...(other.stage > one.stage ? other : one), counts: Object.fromEntries(counts) };
}

type Thing = Partial<Cluster.Info & Job.Info>;

/** The jobs and clusters that an answer shows, by their ids. */
function sightsIn(answer: unknown): [id: string, sight: Sight][] {
  const { cluster, job } = (answer ?? {}) as { readonly cluster?: Thing; readonly job?: Thing };
  return [answer as Thing | undefined, cluster, job].flatMap(thing => {
    const { id = "", state } = thing ?? {};
    if (thing === undefined || state === undefined) return [];
    if (Id.is("cluster", id)) return [[id, sightOfCluster(thing as Cluster.Info)]];
    return Id.is("job", id) ? [[id, sightOfJob(thing as Job.Info)]] : [];
  });
}

function sightOfCluster(cluster: Cluster.Info): Sight {
  const { state, generation } = cluster;
  const stage = Cluster.isLeaving(cluster) ? ENDING : LIVES;
  return { state, stage: Cluster.isOver(cluster) ? OVER : stage, counts: { generation } };
}

/** An array has a job's id, and looks like one. */
function sightOfJob(job: Job.Info): Sight {
  const { state, attempts, runs } = job;
  const { succeeded = 0, failed = 0, cancelled = 0, timedOut = 0 } = runs ?? {};
  const stage = state === "cancelling" ? ENDING : LIVES;
  return {
    state,
    stage: Job.isOver(job) ? OVER : stage,
    counts: { attempts, succeeded, failed, cancelled, timedOut },
  };
}
