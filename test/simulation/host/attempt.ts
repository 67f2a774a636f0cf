/** One attempt on a machine: inputs, script, the log's way home, the report of its end. Each step knows what was done. */

import type { Report } from "@muster/core/agent/protocol.ts";
import { report } from "@muster/core/agent/report.ts";
import { chunkKey } from "@muster/core/attempt/attempt.ts";
import { MusterError } from "@muster/core/error.ts";
import { GRACE } from "@muster/core/job/cancel.ts";
import { SECOND } from "../kernel.ts";
import { type Ending, type Held, isAlive, nameOf, type Script, written } from "./disk.ts";
import { type Agent, asHost, Dead, type Driven } from "./life.ts";
import { post } from "./network.ts";

/** How long an agent tries to bring the rest of a log home, in ms: the agent's own figure. */
const LOG_DEADLINE = 600_000;

export async function drive(agent: Agent, driven: Driven): Promise<void> {
  const { held } = driven;
  if (held.step === "inputs") {
    tell(agent, driven, "preparing");
    await nap(agent, driven, held.task.inputs);
    await othersEnded(agent, driven);
    if (held.stop === undefined) begin(agent, held);
    held.step = "run";
    if (held.stop === undefined) tell(agent, driven, "running");
  }
  if (held.step === "run") {
    held.end = await follow(agent, driven);
    held.step = "closing";
  }
  const logsComplete = await bringHome(agent, driven);
  const { at: _, ...end } = held.end as Ending;
  await closeWith(agent, driven, { ...held.ref, state: "exited", ...end, logsComplete });
  agent.box.disk.attempts.delete(nameOf(held.ref));
  agent.driven.delete(nameOf(held.ref));
  agent.wake();
}

/** What was revoked ends first: what it has may be given to this one. */
async function othersEnded(agent: Agent, driven: Driven): Promise<void> {
  const isLeaving = (script: Script) => script.endedAt !== undefined && isAlive(script, agent.sim.now);
  while ([...agent.box.scripts.values()].some(isLeaving)) await nap(agent, driven, SECOND);
}

function begin(agent: Agent, held: Held): void {
  const { sim, box } = agent;
  const name = nameOf(held.ref);
  const other = [...box.scripts.values()].find(script => isAlive(script, sim.now) && isShared(script, held));
  if (other)
    sim.violate("I3", `${box.id} begins ${name} while it runs ${other.name}, which has what is promised to it`);
  if (box.disk.begun.has(name)) sim.violate("I3", `${box.id} begins ${name} a second time`);
  const twin = sim.cloud.boxes.find(one => one !== box && one.hostId === box.hostId && one.disk.begun.has(name));
  if (twin) sim.violate("I3", `${box.id} begins ${name}, which ${twin.id} has begun`);
  box.disk.begun.add(name);
  box.scripts.set(name, { name, startedAt: sim.now, task: held.task, gpus: held.gpus, endedAt: undefined });
}

/** Whether two want the same of a host: a GPU, or one of them all of it. */
const isShared = (a: Pick<Script, "gpus">, b: Pick<Script, "gpus">): boolean =>
  a.gpus === undefined || b.gpus === undefined || a.gpus.some(index => b.gpus?.includes(index));

/** Watches the script to its end, and sends what it writes. */
async function follow(agent: Agent, driven: Driven): Promise<Ending> {
  const { sim, box } = agent;
  const { held } = driven;
  const script = box.scripts.get(nameOf(held.ref));
  if (script === undefined) return { cause: held.stop ?? "cancelled", at: sim.now, chunks: 0 };
  for (;;) {
    const end = endOf(script, sim.now);
    if (end) return end;
    if (sim.now >= held.timeLimit) held.stop ??= "timed_out";
    if (held.stop !== undefined) return stop(agent, driven, script, held.stop);
    if (held.sent < written(script, sim.now)) await send(agent, driven);
    else await nap(agent, driven, Math.min(pause(script, sim.now), held.timeLimit - sim.now));
  }
}

/** The end that the script came to by itself, or with its machine. */
function endOf(script: Script, now: number): Ending | undefined {
  if (isAlive(script, now)) return undefined;
  const chunks = written(script, now);
  if (script.endedAt !== undefined) return { cause: "host_lost", at: now, chunks };
  return { cause: "exited", exitCode: script.task.exitCode, at: now, chunks };
}

/** Until it writes again, or ends. */
function pause(script: Script, now: number): number {
  const { run, chunks } = script.task;
  const next = chunks === 0 ? run : Math.min(run, ((written(script, now) + 1) / chunks) * run);
  return Math.ceil(script.startedAt + next - now);
}

/** TERM, grace, KILL. */
async function stop(agent: Agent, driven: Driven, script: Script, cause: Ending["cause"]): Promise<Ending> {
  await nap(agent, driven, agent.sim.rng.int(GRACE * SECOND), false);
  const end = endOf(script, agent.sim.now);
  if (end?.cause === "host_lost") return end;
  script.endedAt = Math.min(agent.sim.now, script.startedAt + script.task.run);
  return { cause, exitCode: 143, at: agent.sim.now, chunks: written(script, agent.sim.now) };
}

/** @returns false when time ran out. */
async function bringHome(agent: Agent, driven: Driven): Promise<boolean> {
  const { held } = driven;
  const { chunks, at } = held.end as Ending;
  while (held.sent < chunks) {
    if (agent.sim.now > at + LOG_DEADLINE) return false;
    await send(agent, driven);
  }
  return true;
}

/** One chunk, the next in order. */
async function send(agent: Agent, driven: Driven): Promise<void> {
  const { sim, box } = agent;
  const { held } = driven;
  try {
    const isAllowed = await post(sim, box, held.policy, chunkKey(held.policy.prefix, held.sent, "run"));
    requireHeld(agent, driven);
    if (isAllowed) held.sent++;
    else await nap(agent, driven, 5 * SECOND);
  } catch {
    requireHeld(agent, driven);
    await nap(agent, driven, sim.rng.between(SECOND, 20 * SECOND));
  }
}

function tell(agent: Agent, driven: Driven, state: "preparing" | "running"): void {
  driven.reports = driven.reports.then(async () => {
    const isMine = await insist(agent, driven, { ...driven.held.ref, state });
    if (!isMine) drop(agent, driven);
  });
  driven.reports.catch(() => undefined);
}

async function closeWith(agent: Agent, driven: Driven, end: Extract<Report, { state: "exited" }>): Promise<void> {
  await driven.reports.catch(() => undefined);
  requireHeld(agent, driven);
  try {
    await insist(agent, driven, end);
  } catch (error) {
    if (!(error instanceof MusterError)) throw error;
    driven.held.sent = 0;
    const logsComplete = await bringHome(agent, driven);
    return closeWith(agent, driven, { ...end, logsComplete });
  }
}

/** Until it is answered. @returns whether the attempt is this host's. @throws `logs_incomplete`. */
async function insist(agent: Agent, driven: Driven, said: Report): Promise<boolean> {
  for (;;) {
    try {
      const { accepted } = await asHost(agent, `report ${said.state}`, (world, host) => report(world, host, said));
      requireHeld(agent, driven);
      return accepted;
    } catch (error) {
      requireHeld(agent, driven);
      if (error instanceof MusterError && error.code === "logs_incomplete") throw error;
    }
    await nap(agent, driven, agent.sim.rng.between(SECOND, 20 * SECOND));
  }
}

/** Its script ends, within the grace; nothing is reported. */
export function drop(agent: Agent, driven: Driven): void {
  const { sim, box } = agent;
  const name = nameOf(driven.held.ref);
  driven.isDropped = true;
  nudge(driven);
  box.disk.attempts.delete(name);
  agent.driven.delete(name);
  const script = box.scripts.get(name);
  if (script && isAlive(script, sim.now)) script.endedAt = sim.now + sim.rng.int(GRACE * SECOND);
}

function requireHeld(agent: Agent, driven: Driven): void {
  if (agent.dead || driven.isDropped) throw new Dead();
}

/** There is news: whatever of it waits goes on, its script's end and its reports alike. */
export function nudge({ waiters }: Driven): void {
  for (const go of waiters) go();
  waiters.clear();
}

/** Until it is time, or there is news. */
async function nap(agent: Agent, driven: Driven, ms: number, heeds = true): Promise<void> {
  await new Promise<void>(resolve => {
    if (heeds) driven.waiters.add(resolve);
    agent.sim.kernel.at(ms, `${agent.box.id} goes on with ${nameOf(driven.held.ref)}`, () => {
      driven.waiters.delete(resolve);
      resolve();
    });
  });
  requireHeld(agent, driven);
}
