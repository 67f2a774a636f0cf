/** What an agent is while it lives, and how it calls. */
import { authenticate } from "@muster/core/host/authenticate.ts";
import type { Box } from "../ports/cloud.ts";
import type { Sim } from "../sim.ts";
import type { Watching } from "./activity.ts";
import type { Held } from "./disk.ts";
import { ask } from "./network.ts";

/** Thrown where an agent finds out that it was ended. */
export class Dead extends Error {}

export interface Agent {
  readonly sim: Sim;
  readonly box: Box;
  dead: boolean;
  readonly driven: Map<string, Driven>;
  /** Makes it poll at once. */
  wake(): void;
  /** Whether it was woken since it last looked. */
  rung: boolean;
  /** What it was told to look for; it forgets that when it ends. */
  watching: Watching | undefined;
  /** Whether it runs what is to be run before its machine goes. */
  hooking: boolean;
}

/** An attempt that this agent drives. */
export interface Driven {
  readonly held: Held;
  isDropped: boolean;
  /** Ends each of the waits that it is in: its script's, and those of its reports. */
  readonly waiters: Set<() => void>;
  /** What it says comes in order. */
  reports: Promise<unknown>;
}

export function requireLife(agent: Agent): void {
  if (agent.dead) throw new Dead();
}

type HostVerb<T> = (
  world: Parameters<Parameters<typeof ask<T>>[3]>[0],
  host: Awaited<ReturnType<typeof authenticate>>,
) => Promise<T>;

/** A call with the host's token, as the control plane's own functions serve it. */
export function asHost<T>(agent: Agent, verb: string, run: HostVerb<T>): Promise<T> {
  const token = `Bearer ${agent.box.disk.hostToken}`;
  return ask(agent.sim, agent.box, verb, async world => run(world, await authenticate(world, token)));
}
