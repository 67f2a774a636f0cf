/** A cluster with an idle policy, and hosts that tell how long they have been quiet; on the fake provider. */
import { poll } from "@muster/core/agent/poll.ts";
import type { Orders, Poll } from "@muster/core/agent/protocol.ts";
import type { Idle } from "@muster/core/cluster/idle.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { readyGroups } from "../support/groups.ts";
import type { TestHost } from "../support/host.ts";
import { MINUTE, readyCluster, stateOf } from "../support/requests.ts";
import { type TestWorld, testWorld } from "../support/world.ts";

type Policy = Exclude<Idle, "never">;
type Quiet = Poll["pulse"]["quiet"];

const PULSE = { cpu: 0, memory: 0.1, gpus: [], sessions: 0 };

type Says = (rank: number, minute: number) => Quiet | "none" | undefined;

export interface Stage {
  readonly world: TestWorld;
  readonly id: string;
  readonly hosts: readonly TestHost[];
  /** One host's call. */
  call(rank: number, quiet?: Quiet, attempts?: Poll["attempts"]): Promise<Orders>;
  /** Minutes; in each the hosts call as `says` has it (`none`: that host does not call), and then the sweep comes. */
  pass(minutes: number, says?: Says): Promise<void>;
  state(): Promise<string>;
}

/** A ready cluster under this policy; with `groups`, a head that takes no jobs and two workers. */
export async function staged(idle: Partial<Policy> | "never", more = {}, groups = false): Promise<Stage> {
  const world = testWorld();
  const policy = idle === "never" ? idle : { after: 10, action: "stop", ...idle };
  const { id, hosts } = groups
    ? await readyGroups(world, undefined, { idle: policy, ...more })
    : await readyCluster(world, { idle: policy, ...more });
  const call: Stage["call"] = async (rank, quiet, attempts = []) => {
    const actor = await (hosts[rank] as TestHost).actor();
    return poll(world, actor, { pulse: { ...PULSE, ...(quiet && { quiet }) }, attempts });
  };
  const callAll = async (minute: number, says: Says) => {
    for (const rank of hosts.keys()) {
      const said = says(rank, minute);
      if (said !== "none") await call(rank, said);
    }
  };
  const state = () => stateOf(world, id);
  return {
    ...{ world, id, hosts, call, state },
    pass: async (minutes, says = () => undefined) => {
      for (let minute = 1; minute <= minutes; minute++) {
        world.clock.pass(MINUTE);
        if ((await state()) === "ready") await callAll(minute, says);
        await sweepDue(world);
      }
    },
  };
}

/** Busy until this minute, and quiet since. */
export const busyUntil =
  (last: number) =>
  (_rank: number, minute: number): { seconds: number } => ({ seconds: Math.max(0, minute - last) * 60 });
