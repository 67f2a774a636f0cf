/**
 * Processes: invocations of the control plane's code. Every call of a port is two events, the effect and the reply, and
 * each of them may go wrong. What was sent lands, whatever becomes of the sender.
 */
import { MusterError } from "@muster/core/error.ts";
import { CALL_FAULTS, type CallFault } from "./faults.ts";
import { MINUTE, QUIET, SECOND } from "./kernel.ts";
import type { Sim } from "./sim.ts";

export interface Process {
  readonly name: string;
  /** The tenant that it works for, where there is one. */
  readonly workspace: string | undefined;
  /** When its time is over. */
  readonly deadline: number;
  /** How far its clock is ahead, in ms. */
  readonly skew: number;
  /** Whether its code is of the next version. */
  readonly isNewer?: boolean;
  dead: boolean;
  finished: boolean;
  die(): void;
}

export type Outcome<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "threw"; readonly error: unknown }
  | { readonly kind: "died" };

/** How late a stalled call lands at most, in ms. */
export const LONGEST_STALL = 10 * MINUTE;

/** Core throws what its callers can understand, and nothing else. */
export function checkError(sim: Sim, name: string, error: unknown): void {
  const isKnown = error instanceof Error && ["WriteConflict", "Replay"].includes(error.name);
  if (isKnown || (error instanceof MusterError && error.code !== "internal")) return;
  const stack = error instanceof Error ? `${error.stack} ${String(error.cause ?? "")}` : String(error);
  sim.violate("I0", `${name} threw ${stack}`);
}

/** One call of a port. `effect` happens at one moment; its value, or what it throws, is the reply. */
export function call<T>(sim: Sim, process: Process, label: string, effect: () => T, risk = 1): Promise<T> {
  return new Promise((resolve, reject) => {
    if (!process.dead) send({ sim, process, label, risk, reject, land: () => attempt(effect, resolve, reject) });
  });
}

interface Open {
  readonly sim: Sim;
  readonly process: Process;
  readonly label: string;
  /** How much likelier faults are than with other calls. */
  readonly risk: number;
  reject(error: unknown): void;
  /** Makes the effect happen. @returns what gives the caller its reply. */
  land(): () => void;
}

/** What is to befall one call, where a plan says so and not chance. */
export interface Mishap {
  readonly fault: CallFault;
  /** How late a stalled call lands, in ms. */
  readonly late?: number;
  /** Whether the caller of a stalled call stands still as well; else it sees a timeout. */
  readonly isStill?: boolean;
}

/** Asked with every call of a port, in their order. */
export type Plan = (label: string, process: Process) => Mishap | undefined;

function send(open: Open): void {
  const { sim, process, label, risk } = open;
  const mishap = sim.plan === undefined ? drawn(sim, risk) : sim.plan(label, process);
  const fault = mishap?.fault;
  const delay = latency(sim) + (fault === "stall" ? (mishap?.late ?? sim.rng.int(LONGEST_STALL)) : 0);
  if (sim.now + delay > process.deadline)
    sim.kernel.at(process.deadline - sim.now, `${process.name} time is over`, () => process.die());
  // Half of the stalled calls look like timeouts to their caller; for the others the caller stood still as well.
  if (fault === "stall" && !(mishap?.isStill ?? sim.rng.chance(0.5)))
    timeOut(open, sim.rng.between(3 * SECOND, 30 * SECOND));
  const way = (fault && ways[fault]) ?? goWell;
  sim.kernel.at(delay, fault === undefined ? label : `${label} !${fault}`, () => way(open));
}

function drawn(sim: Sim, risk: number): Mishap | undefined {
  const fault = sim.faults.oneOf(CALL_FAULTS, risk) as CallFault | undefined;
  return fault && { fault };
}

type Way = (open: Open) => void;

const goWell: Way = open => reply(open, latency(open.sim), open.land());

const ways: Readonly<Partial<Record<CallFault, Way>>> = {
  crashBefore: open => open.process.die(),
  crashAfter: open => {
    open.land();
    open.process.die();
  },
  timeoutBefore: open => timeOut(open, 3 * SECOND),
  timeoutAfter: open => {
    open.land();
    timeOut(open, 3 * SECOND);
  },
  throttle: open => reply(open, 5, () => open.reject(new MusterError("busy", `${open.label} was throttled`))),
};

const timeOut = (open: Open, after: number): void =>
  reply(open, after, () => open.reject(new MusterError("unavailable", `${open.label} did not answer`)));

function reply({ sim, process, label }: Open, after: number, run: () => void): void {
  sim.kernel.at(after, `${QUIET}reply ${label}`, () => {
    if (!process.dead) run();
  });
}

function attempt<T>(effect: () => T, resolve: (value: T) => void, reject: (error: unknown) => void): () => void {
  try {
    const value = effect();
    return () => resolve(value);
  } catch (error) {
    return () => reject(error);
  }
}

const latency = (sim: Sim): number => 1 + sim.rng.int(sim.climate.latency);
