/** What people and processes do on a machine beside its jobs, for idle policies that ask for it. */
import type { Poll, Watch } from "@muster/core/agent/protocol.ts";
import { MINUTE } from "../kernel.ts";
import type { Box } from "../ports/cloud.ts";
import type { Sim } from "../sim.ts";

/** A time in which somebody is at work. */
export interface Span {
  readonly by: "sessions" | "cpu";
  readonly from: number;
  /** When it ends, or ended with its machine's power. */
  to: number;
  /** When the control plane was first told of it, for all that the host knows. */
  toldAt: number | undefined;
}

const lives = new WeakMap<Box, Span[]>();

/** Since when the agent looks for what. */
export interface Watching {
  readonly watch: Watch;
  readonly since: number;
}

/** The machine's life begins when it is first asked for it. What is looked for anew counts from then. */
export function learn(sim: Sim, box: Box, known: Watching | undefined, watch: Watch | undefined): Watching | undefined {
  if (watch === undefined) return undefined;
  if (!lives.has(box)) lives.set(box, draw(sim));
  const isSame = known !== undefined && JSON.stringify(known.watch) === JSON.stringify(watch);
  return isSame ? known : { watch, since: sim.now };
}

function draw(sim: Sim): Span[] {
  let time = sim.now + (sim.rng.chance(0.5) ? 0 : sim.rng.int(15 * MINUTE));
  return Array.from({ length: sim.rng.between(0, 3) }, () => {
    const from = time;
    const to = from + sim.rng.int((sim.rng.chance(0.3) ? 30 : 8) * MINUTE);
    time = to + sim.rng.int(10 * MINUTE);
    return { by: sim.rng.pick(["sessions", "cpu"] as const), from, to, toldAt: undefined };
  });
}

/** Its power goes: whatever anybody does there ends. */
export function endActivity(sim: Sim, box: Box): void {
  for (const span of lives.get(box) ?? []) span.to = Math.min(span.to, sim.now);
}

export const asks = (watch: Watch, { by }: Span): boolean =>
  by === "sessions" ? watch.sessions === true : watch.cpuBelow !== undefined;

export const spansOf = (box: Box): readonly Span[] => lives.get(box) ?? [];

/** What a pulse says of it. */
export function quietOf(sim: Sim, box: Box, watching: Watching | undefined): Pick<Poll["pulse"], "quiet"> {
  if (watching === undefined) return {};
  const { watch, since } = watching;
  const begun = spansOf(box).filter(span => asks(watch, span) && span.from <= sim.now);
  const last = Math.max(since, ...begun.map(span => Math.min(span.to, sim.now)));
  return { quiet: { seconds: (sim.now - last) / 1000 } };
}

/** The control plane has answered a poll of a moment. */
export function told(sim: Sim, box: Box, watching: Watching | undefined, sentAt: number): void {
  if (watching === undefined) return;
  for (const span of spansOf(box))
    if (asks(watching.watch, span) && span.from <= sentAt && sentAt < span.to) span.toldAt ??= sim.now;
}
