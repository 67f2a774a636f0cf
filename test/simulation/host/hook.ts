/**
 * What is run before the machine goes. As with the real agent it begins when no attempt runs any more, that it begins is on the
 * disk first, and what was cut off is over without an exit code.
 */
import type { Orders } from "@muster/core/agent/protocol.ts";
import { MINUTE, SECOND } from "../kernel.ts";
import type { Box } from "../ports/cloud.ts";
import { type Agent, Dead, requireLife } from "./life.ts";

type Order = NonNullable<Orders["hook"]>;

/** When it began, by the machine's life that it began in. */
const begun = new WeakMap<Box, number>();

/** What a former agent has begun ends. */
export function adoptHook(agent: Agent): void {
  const { hook } = agent.box.disk;
  if (hook === undefined || hook.isOver) return;
  agent.hooking = true;
  unlessDead(close(agent, agent.sim.rng.int(10 * SECOND), undefined));
}

/** @param order undefined: nothing is to be run. */
export function heedHook(agent: Agent, order: Order | undefined): void {
  const { sim, box } = agent;
  if (order === undefined || agent.hooking || box.disk.hook?.id === order.id) return;
  if (begun.get(box) === box.boots) sim.violate("I3", `${box.id} is told to run its hook a second time: ${order.id}`);
  begun.set(box, box.boots);
  agent.hooking = true;
  box.disk.hook = { id: order.id, isOver: false };
  unlessDead(runHook(agent, sim.now + order.timeout * SECOND));
}

async function runHook(agent: Agent, until: number): Promise<void> {
  const { sim, box } = agent;
  while (agent.driven.size > 0 && sim.now < until) {
    await sim.kernel.sleep(SECOND, `${box.id} waits for its attempts`);
    requireLife(agent);
  }
  const length = sim.rng.int(2 * MINUTE);
  const isCut = sim.now + length > until;
  await close(agent, isCut ? Math.max(0, until - sim.now) : length, isCut ? undefined : sim.rng.pick([0, 0, 1]));
}

async function close(agent: Agent, ms: number, exitCode: number | undefined): Promise<void> {
  const { sim, box } = agent;
  await sim.kernel.sleep(ms, `${box.id} runs its hook`);
  requireLife(agent);
  const id = box.disk.hook?.id ?? "";
  box.disk.hook = { id, isOver: true, ...(exitCode !== undefined && { exitCode }) };
  agent.hooking = false;
  agent.wake();
}

const unlessDead = (run: Promise<void>): void =>
  void run.catch(error => {
    if (!(error instanceof Dead)) throw error;
  });

/** What a poll says of it. */
export function hookedOf({ disk }: Box): { readonly hooked?: { readonly id: string; readonly exitCode?: number } } {
  if (!disk.hook?.isOver) return {};
  const { id, exitCode } = disk.hook;
  return { hooked: { id, ...(exitCode !== undefined && { exitCode }) } };
}
