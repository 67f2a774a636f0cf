/** Users: what they ask for, again and again until it is answered, sometimes twice at once and sometimes once more later. */
import type { Actor } from "@muster/core/actor/actor.ts";
import { findClaim, Replay } from "@muster/core/commit.ts";
import { isRetryable, MusterError } from "@muster/core/error.ts";
import * as Keys from "@muster/core/keys.ts";
import { WriteConflict } from "@muster/core/ports/table.ts";
import type { Whole } from "@muster/core/ports/world.ts";
import { isKnown } from "./invariants/arrays.ts";
import { Reads } from "./invariants/reads.ts";
import { invoke } from "./invoke.ts";
import { MINUTE, SECOND } from "./kernel.ts";
import type { Sim } from "./sim.ts";

/** One request, as its client keeps it: the same in every try. */
export interface Request {
  readonly name: string;
  readonly actor: Actor;
  readonly run: (world: Whole, actor: Actor) => Promise<unknown>;
  /** What the answer names. */
  readonly nouns: (answer: unknown) => Nouns;
  /** Whether it asks for the end of what it names. */
  readonly ends?: boolean;
  /** Of a read: the id or the name that it asks for. */
  readonly looksAt?: string;
}

export interface Nouns {
  readonly clusterId?: string;
  readonly jobId?: string;
}

/** What was accepted: it must never be forgotten. */
export class Accepted {
  readonly clusters = new Map<string, string>();
  readonly jobs = new Map<string, string>();
  readonly reads: Reads;
  readonly #answers = new Map<string, string>();
  readonly #sim: Sim;

  constructor(sim: Sim) {
    this.#sim = sim;
    this.reads = new Reads(sim);
  }

  take({ actor, name }: Request, nouns: Nouns): void {
    const { workspace } = actor;
    const cluster = nouns.clusterId === undefined || this.#sim.db.get(Keys.cluster(workspace, nouns.clusterId));
    const job = nouns.jobId === undefined || isKnown(this.#sim, workspace, nouns.jobId);
    if (!cluster || !job) this.#sim.violate("I15", `${name} answered ${workspace} with ${JSON.stringify(nouns)}`);
    if (nouns.clusterId) this.clusters.set(nouns.clusterId, actor.workspace);
    if (nouns.jobId) this.jobs.set(nouns.jobId, actor.workspace);
    const key = actor.claim?.key;
    const text = JSON.stringify(nouns);
    const before = key === undefined ? undefined : this.#answers.get(key);
    if (before !== undefined && before !== text)
      this.#sim.violate("I6", `${name} under one claim was answered ${before}, then ${text}`);
    if (key !== undefined) this.#answers.set(key, text);
  }
}

/** The request in all its tries. @returns whether it was accepted in the end. */
export async function send(sim: Sim, accepted: Accepted, request: Request, patience = 8): Promise<boolean> {
  // Who reads asks several times anyway.
  const changes = request.looksAt === undefined;
  if (changes && sim.faults.happens("clientTwice"))
    sim.kernel.at(sim.rng.int(10 * SECOND), `${request.name} twice`, () => void once(sim, accepted, request));
  for (let tries = 1; tries <= patience; tries++) {
    const result = await once(sim, accepted, request);
    if (result !== "again") {
      if (result === "accepted" && changes && sim.faults.happens("clientAgain"))
        sim.kernel.at(sim.rng.int(5 * MINUTE), `${request.name} again`, () => void once(sim, accepted, request));
      return result === "accepted";
    }
    await sim.kernel.sleep(sim.rng.between(SECOND, 20 * SECOND), `${request.name} waits`);
  }
  return false;
}

/** One call of the API, as its server handles it. */
async function once(sim: Sim, accepted: Accepted, request: Request): Promise<"accepted" | "refused" | "again"> {
  const { name, actor } = request;
  const known = request.looksAt === undefined ? undefined : accepted.reads.known();
  const outcome = await invoke(sim, name, actor.workspace, world => serve(world, request));
  if (known) accepted.reads.judge(request, known, outcome);
  if (outcome.kind === "done") {
    accepted.reads.hear(request, outcome.value);
    accepted.take(request, request.nouns(outcome.value));
    return "accepted";
  }
  if (outcome.kind === "died" || outcome.error instanceof WriteConflict || isRetryable(outcome.error)) return "again";
  if (outcome.error instanceof MusterError) sim.kernel.note(`${name} is refused: ${outcome.error.code}`);
  return "refused";
}

async function serve(world: Whole, { actor, run }: Request): Promise<unknown> {
  const before = await findClaim(world, actor);
  if (before) return before.answer;
  try {
    return await run(world, actor);
  } catch (error) {
    if (error instanceof Replay) return error.answer;
    throw error;
  }
}
