/**
 * The faults that a control plane must live through, F1 to F26, and what stands for each of them here. Every one of those is
 * to be hit at least once in 100 seeds: what was hardly met is not proved by seeds without a violation.
 *
 * Not here: F19, results of half a batch (the ports know none: a write is all or nothing, and machines are ended one call at a
 * time when one call for all of them fails), and F24, receivers of webhooks, which there are none of.
 */
import { CONDITIONS, type Condition, FAULTS, type Fault } from "./faults.ts";
import type { Sum } from "./hunt.ts";

type Kind = Fault | Condition;

/** Of each kind, which of the twenty-six it is. */
const STANDS: Readonly<Record<Kind, string>> = {
  crashBefore: "F1 a crash before the effect",
  crashAfter: "F2 a crash after the effect",
  timeoutBefore: "F3 a timeout, and nothing was done",
  timeoutAfter: "F4 a timeout, and it was done",
  throttle: "F5 a call is throttled",
  stall: "F6 a call lands up to ten minutes late; F20 so does a kick",
  ringTwice: "F7 an invocation beside its own repetition",
  ringLate: "F8 a ring is late, after others",
  ringLost: "F8 a ring is lost",
  eventStale: "F8 the cloud's word of a machine comes late, or again",
  indexLags: "F9 an index does not show the latest write",
  cloudLags: "F10 the cloud does not show a machine yet",
  noCapacity: "F11 no capacity for a launch",
  startRefused: "F11 no capacity for a start",
  copyFails: "F11 the cloud refuses a copy",
  bootHang: "F12 a machine never boots",
  machineTaken: "F13 a machine is taken back, with a warning or without",
  machineDies: "F13 a machine is gone without a word",
  hostFreezes: "F14 a host dies silently",
  hostReboots: "F14 a host reboots, and keeps its disk",
  agentRestarts: "F14 an agent is started anew",
  startedByHand: "F14 somebody starts a stopped machine by hand",
  partition: "F15 a host reaches nobody",
  requestLost: "F15 a host's call is lost",
  answerLost: "F15 an answer to a host is lost",
  requestTwice: "F17 a host's call arrives twice",
  scriptHangs: "F16 a script never ends",
  clientTwice: "F17 a client's request arrives twice at once",
  clientAgain: "F17 a client's request comes again after its answer",
  userEnds: "F18 a user ends or cancels something",
  kickLost: "F20 a kick is lost",
  workflowLost: "F21 an execution is lost at one of its steps",
  clockOff: "F22 two invocations' clocks are apart",
  newerCode: "F23 newer code writes beside older code",
  cronTwice: "F25 a cron fires twice",
  cronLate: "F25 a cron fires late",
  cronStops: "F25 a cron does not fire for up to half an hour",
  roleRevoked: "F26 the cloud denies every call for a while",
};

export interface Covered {
  readonly fault: Kind;
  readonly stands: string;
  readonly hits: number;
}

export const covered = (sum: Pick<Sum, "hits">): Covered[] =>
  [...FAULTS, ...CONDITIONS].map(fault => ({ fault, stands: STANDS[fault], hits: sum.hits[fault] ?? 0 }));

/** Hit less than once in 100 seeds; of few seeds nothing is said. */
export const unmet = (sum: Pick<Sum, "hits" | "runs">): Covered[] =>
  sum.runs < 100 ? [] : covered(sum).filter(({ hits }) => hits < sum.runs / 100);
