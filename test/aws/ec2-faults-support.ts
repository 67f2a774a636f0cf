/** Faults at one call, and what a verb of the EC2 provider says when it meets them. */
import { MusterError } from "@muster/core/error.ts";
import type { Fault } from "./support/edge.ts";

export type Name =
  | "throttled"
  | "denied"
  | "failed"
  | "reset"
  | "reset after"
  | "silent"
  | "silent after"
  | "cut"
  | "twice";

const faults: Readonly<Record<Name, Omit<Fault, "on">>> = {
  throttled: { kind: "throttle" },
  denied: { kind: "error", code: "UnauthorizedOperation", status: 403 } as Omit<Fault, "on">,
  failed: { kind: "http500" },
  reset: { kind: "reset" },
  "reset after": { kind: "reset-after-apply" },
  silent: { kind: "timeout" },
  "silent after": { kind: "timeout-after-apply" },
  cut: { kind: "truncate" },
  twice: { kind: "duplicate" },
};
export const names = Object.keys(faults) as Name[];

export const faultOf = (on: string, name: Name, times = 1): Fault => {
  const fault = { ...faults[name], on, times } as Fault;
  return on.startsWith("ssm.") && name === "denied" ? ({ ...fault, code: "AccessDeniedException" } as Fault) : fault;
};

/** A call that only reads is made again by itself; any other is left to whoever asked. */
const isRead = (call: string) => /\.(Describe|Get)/.test(call);

/** What the verb says when this happens once; `done` when it makes up for it itself. */
export function saysOf(call: string, name: Name, denied: string): string {
  if (name === "twice") return "done";
  if (name === "denied") return denied;
  if (isRead(call)) return "done";
  return name === "throttled" ? "busy" : "unavailable";
}

export const outcomeOf = async (verb: Promise<unknown>): Promise<string> =>
  verb.then(
    () => "done",
    error => (error instanceof MusterError ? error.code : `not ours: ${String(error)}`),
  );

export const table = (calls: readonly string[]) => calls.flatMap(call => names.map(name => [call, name] as const));

/**
 * Silence is waited out in real time, up to `silence` ms a call; anything else may take as long as a busy machine needs.
 * Whoever needs a cluster first makes it with more patience.
 */
export const patienceFor = (name: string, silence = 1_500) => ({
  timeout: name.startsWith("silent") ? silence : 10_000,
});

/** Of verbs that make few calls, and no machines. */
export const FEW_CALLS = 800;

/** Where no answer comes at all, none can come too late. */
export const NONE_COMES = 300;
