/** An agent's bench whose control plane wants a hook to be run. */
import type { Poll } from "@muster/core/agent/protocol.ts";
import { Bench } from "./bench.ts";
import { until } from "./until.ts";

export async function opened(
  run: string,
  more: { timeout?: number; env?: Record<string, string> } = {},
): Promise<Bench> {
  const bench = await Bench.open();
  bench.plane.pollAfter = 100;
  bench.plane.hook = { id: "hook_a", run, timeout: 30, ...more };
  return bench;
}

/** How the last hook ended, as the agent said last. */
export const said = (bench: Bench): Poll["hooked"] => bench.plane.polls.at(-1)?.hooked;
export const over = (bench: Bench, id = "hook_a") =>
  until(`${id} to be over`, () => (said(bench)?.id === id ? said(bench) : undefined));
