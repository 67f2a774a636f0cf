/** What is read of one of Runhouse's clusters before it is known what kind it is. */
import type { Idle } from "@muster/core/cluster/idle.ts";
import { type Draft, empty } from "../draft.ts";

/** `draft` takes what a task has as well. */
export interface Parts {
  readonly draft: Draft;
  idle?: Idle;
  /** Of one's own hosts, how many. */
  hosts?: number;
  isAccelerator?: boolean;
  /** Keys that are left out, by the reason for it. */
  readonly left: Map<string, string[]>;
}

export const begin = (): Parts => ({ draft: empty("stop"), left: new Map() });
