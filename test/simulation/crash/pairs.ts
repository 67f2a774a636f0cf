/** Pairs of things that are in each other's way: the one is late, and the other happens meanwhile. */
import { report } from "@muster/core/agent/report.ts";
import { cancel as cancelArray } from "@muster/core/array/control.ts";
import * as Change from "@muster/core/cluster/change.ts";
import { authenticate } from "@muster/core/host/authenticate.ts";
import { moved } from "@muster/core/host/heard.ts";
import { cancel } from "@muster/core/job/cancel.ts";
import * as Job from "@muster/core/job/job.ts";
import { reboot } from "../host/host.ts";
import type { ScriptName } from "../host/workload.ts";
import { invoke } from "../invoke.ts";
import { MINUTE } from "../kernel.ts";
import { type Stage, taskOf } from "./stage.ts";
import { group, insist, managed, send, up } from "./verbs.ts";

export interface Pair {
  /** What is there before. */
  readonly prepare?: (stage: Stage) => Promise<void>;
  /** Begins the one thing. */
  readonly begin?: (stage: Stage) => Promise<void>;
  /** The call that is late, by its label: the first of its kind after that. */
  readonly late?: RegExp;
  /** What is late, where that is no call. */
  readonly hold?: (stage: Stage, minutes: number) => void;
  /** What happens meanwhile. */
  readonly other: (stage: Stage) => Promise<void> | void;
  readonly end: (stage: Stage) => Promise<void>;
}

const remove = (stage: Stage) => stage.ask("down", (world, actor) => Change.remove(world, actor, "one"));
const gone = (stage: Stage) =>
  stage.until("the cluster has ended", () => ["terminated", "failed"].includes(stage.cluster?.state ?? ""));
const over = (stage: Stage) =>
  stage.until("its jobs have ended", () => stage.jobs.length > 0 && stage.jobs.every(Job.isOver));

const ready = async (stage: Stage, nodes = 1, idle?: object) => {
  await up(stage, [group("workers", nodes)], idle);
  await stage.untilCluster("ready");
};

/** A job that runs, and is tried again when its host is lost. */
const running =
  (run: ScriptName): NonNullable<Pair["prepare"]> =>
  async stage => {
    await up(stage);
    await send(stage, taskOf(run, { timeout: 3 * 3600, retry: { max: 5, on: ["host_lost"], backoff: 0 } }));
    await stage.untilJob("running");
  };

/** The second try runs for so long that whatever was late has come. */
const secondTry: Pair["end"] = async stage => {
  await stage.until("it runs again", () => stage.job()?.state === "running" && (stage.job()?.attempts ?? 0) > 1);
  await stage.wait(12);
  await stage.ask("cancel", (world, actor) => cancel(world, actor, stage.job()?.id ?? ""));
  await stage.untilJob("cancelled");
};

const IDLE = { after: 1, action: "stop" };

export const pairs: Readonly<Record<string, Pair>> = {
  "create-delete": {
    begin: stage => up(stage, [group("head", 1), group("workers", 1)]),
    late: / steel launch /,
    other: remove,
    end: gone,
  },
  "dispatch-cancel": {
    prepare: ready,
    begin: stage => send(stage, taskOf("hangs")),
    late: /write .* JOB=starting/,
    other: stage => stage.ask("cancel", (world, actor) => cancel(world, actor, stage.job()?.id ?? "")),
    end: stage => stage.untilJob("cancelled"),
  },
  "complete-retry": {
    begin: stage => managed(stage, taskOf("sure")),
    late: /write .*=exited/,
    // Where it still has one.
    other: ({ sim, boxes }) => {
      for (const box of boxes) sim.cloud.vanish(box);
    },
    end: stage => stage.untilJob("succeeded"),
  },
  "idle-stop-submit": {
    begin: stage => ready(stage, 1, IDLE),
    late: /write .* CLUSTER=stopping/,
    other: stage => insist(stage, taskOf("sure")),
    end: stage => stage.untilJob("succeeded"),
  },
  "stopping-submit": {
    begin: stage => ready(stage, 2, IDLE),
    late: / steel stop /,
    other: stage => insist(stage, taskOf("sure", { nodes: 2 })),
    // A stop that lands when they run again takes the job with it.
    end: over,
  },
  "partition-requeue": {
    prepare: running("long"),
    // Longer than it takes until its host is given up.
    hold: ({ sim, boxes }, minutes) => {
      for (const box of boxes) box.cutUntil = sim.now + 3 * minutes * MINUTE;
    },
    other: ({ sim, boxes }) => {
      for (const box of boxes) reboot(sim, box);
    },
    end: over,
  },
  "partition-return": {
    prepare: running("hangs"),
    // Longer than it takes until its host is given up; then it is back, with what it had.
    hold: ({ sim, boxes }, minutes) => {
      for (const box of boxes) box.cutUntil = sim.now + (25 + minutes) * MINUTE;
    },
    other: () => undefined,
    end: secondTry,
  },
  "report-retry": {
    prepare: running("hangs"),
    begin: async ({ sim, boxes }) => {
      for (const box of boxes) reboot(sim, box);
    },
    hold: () => undefined,
    // What the first try's end was told with comes once more, while the second runs.
    other: stage => {
      const end = { fence: 1, state: "exited", cause: "host_lost", chunks: 0, logsComplete: false } as const;
      const again = { ...end, jobId: stage.job()?.id ?? "" };
      for (const { id, workspace, disk } of stage.boxes)
        void invoke(stage.sim, `${id} report again`, workspace, async world =>
          report(world, await authenticate(world, `Bearer ${disk.hostToken}`), again),
        );
    },
    end: secondTry,
  },
  "word-of-the-cloud": {
    prepare: running("long"),
    hold: () => undefined,
    // An old word about a machine that runs.
    other: ({ sim, boxes }) => {
      for (const { workspace, id } of boxes) void invoke(sim, "event stale", workspace, world => moved(world, id));
    },
    end: over,
  },
  "claim-cancel": {
    prepare: stage => ready(stage, 2),
    begin: stage => send(stage, taskOf("steady", { runs: { count: 6, concurrent: 2 } })),
    late: /write .* JOB=starting/,
    other: stage => stage.ask("cancel", (world, actor) => cancelArray(world, actor, stage.arrays[0]?.id ?? "")),
    end: stage =>
      stage.until("the array has ended", () => ["cancelled", "succeeded"].includes(stage.arrays[0]?.state ?? "")),
  },
  "growth-delete": {
    prepare: ready,
    begin: stage => up(stage, [group("workers", 1), group("more", 1)]),
    late: / steel launch /,
    other: remove,
    end: gone,
  },
};
