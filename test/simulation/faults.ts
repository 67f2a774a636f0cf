/** What goes wrong. Each run draws its own rates: most kinds somewhere below their greatest, some not at all. */
import type { Rng } from "./rng.ts";

/** Greatest rate of each kind. */
const GREATEST = {
  // Per call of a port by the control plane.
  crashBefore: 0.02,
  crashAfter: 0.02,
  timeoutBefore: 0.03,
  timeoutAfter: 0.04,
  throttle: 0.06,
  stall: 0.03,
  // Per ring of the doorbell, and per beat of the cron.
  ringLate: 0.3,
  ringTwice: 0.2,
  ringLost: 0.2,
  cronLate: 0.2,
  cronTwice: 0.2,
  cronStops: 0.05,
  workflowLost: 0.1,
  // Per call of the cloud, or per machine.
  noCapacity: 0.5,
  startRefused: 1.2,
  bootHang: 0.15,
  copyFails: 0.9,
  kickLost: 0.3,
  // Per beat of the chaos.
  roleRevoked: 0.03,
  // Per machine and beat of the chaos.
  machineDies: 0.01,
  machineTaken: 0.01,
  startedByHand: 0.04,
  hostFreezes: 0.005,
  hostReboots: 0.015,
  agentRestarts: 0.03,
  partition: 0.03,
  eventStale: 0.01,
  // Per call of an agent.
  requestLost: 0.1,
  answerLost: 0.1,
  requestTwice: 0.1,
  // Per request of a client.
  clientTwice: 0.3,
  clientAgain: 0.3,
} as const;

/** What befalls runs besides, by what they draw and what their users do: counted, so that it is known to happen. */
export const CONDITIONS = ["indexLags", "cloudLags", "clockOff", "scriptHangs", "userEnds", "newerCode"] as const;
export type Condition = (typeof CONDITIONS)[number];

export type Fault = keyof typeof GREATEST;
export const FAULTS = Object.keys(GREATEST) as Fault[];

/** Those that befall calls of ports. */
export const CALL_FAULTS = [
  "crashBefore",
  "crashAfter",
  "timeoutBefore",
  "timeoutAfter",
  "throttle",
  "stall",
] as const satisfies readonly Fault[];
export type CallFault = (typeof CALL_FAULTS)[number];

/** How often a kind is left out altogether. */
const OFF = 0.3;

export class Faults {
  readonly #rng: Rng;
  readonly #rates: Readonly<Record<Fault, number>>;
  readonly hits = Object.fromEntries([...FAULTS, ...CONDITIONS].map(fault => [fault, 0])) as Record<
    Fault | Condition,
    number
  >;
  on = true;

  /** @param without what does not happen, whatever the run draws */
  constructor(rng: Rng, without: readonly Fault[]) {
    this.#rng = rng;
    const rates = FAULTS.map(fault => [fault, rng.chance(OFF) ? 0 : rng.next() * GREATEST[fault]]);
    this.#rates = { ...Object.fromEntries(rates), ...Object.fromEntries(without.map(fault => [fault, 0])) };
  }

  /** Also in calm, when nothing more is drawn: only what happens in bad weather is counted. */
  meet(condition: Condition): void {
    if (this.on) this.hits[condition]++;
  }

  happens(fault: Fault): boolean {
    return this.oneOf([fault]) !== undefined;
  }

  /** At most one of these kinds; `weight` times as often as usual. */
  oneOf(faults: readonly Fault[], weight = 1): Fault | undefined {
    if (!this.on) return undefined;
    let left = this.#rng.next();
    for (const fault of faults) {
      left -= this.#rates[fault] * weight;
      if (left >= 0) continue;
      this.hits[fault]++;
      return fault;
    }
    return undefined;
  }
}
