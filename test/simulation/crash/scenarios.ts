/**
 * Short scripts of users, each about one thing that the control plane does. Whatever single call goes wrong in the middle of
 * one: it comes to the same end.
 */
import { cancel as cancelArray } from "@muster/core/array/control.ts";
import * as Change from "@muster/core/cluster/change.ts";
import { cancel } from "@muster/core/job/cancel.ts";
import { reboot } from "../host/host.ts";
import { type Stage, taskOf } from "./stage.ts";
import { down, group, managed, oneBox, send, takeBack, up } from "./verbs.ts";

export interface Scenario {
  /** Its awaits are the ones that faults befall. */
  readonly act: (stage: Stage) => Promise<void>;
  /** @returns in words what did not come to the end that it was to come to. */
  readonly amiss: (stage: Stage) => string[];
}

export const scenarios: Readonly<Record<string, Scenario>> = {
  create: {
    act: async stage => {
      await up(stage, [group("head", 1), group("workers", 2)]);
      await stage.untilCluster("ready");
      await down(stage);
    },
    amiss: stage => (stage.has("cluster.ready") ? [] : ["the cluster was never ready"]),
  },
  submit: {
    act: async stage => {
      await up(stage);
      await send(stage, taskOf("sure"));
      await send(stage, taskOf("sure"), "second");
      await stage.untilJob("succeeded", "second");
    },
    amiss: stage => [
      ...stage.jobEnded("succeeded", { attempts: 1 }),
      ...stage.jobEnded("succeeded", { name: "second", attempts: 1 }),
    ],
  },
  complete: {
    act: async stage => {
      await up(stage, [group("workers", 2)]);
      await send(stage, taskOf("sure", { nodes: 2 }));
      await stage.untilJob("succeeded");
    },
    amiss: stage => stage.jobEnded("succeeded", { attempts: 1 }),
  },
  "idle-stop": {
    act: async stage => {
      await up(stage, [group("workers", 1)], { after: 1, action: "stop", then: { after: 2, action: "terminate" } });
      await stage.untilCluster("stopped");
      await stage.untilCluster("terminated");
    },
    amiss: stage => (stage.has("cluster.ready") ? [] : ["the cluster was never ready"]),
  },
  "delete-in-launch": {
    act: async stage => {
      const called = Promise.withResolvers<true>();
      let isCalled = false;
      // At once: the answer is on its way.
      stage.sim.cloud.watchers.push(() => {
        isCalled = true;
        called.resolve(true);
      });
      await up(stage, [group("head", 1), group("workers", 1)]);
      await Promise.race([called.promise, stage.until("the cluster is launched", () => isCalled)]);
      await down(stage);
    },
    amiss: () => [],
  },
  spot: {
    act: async stage => {
      await managed(stage, taskOf("steady"));
      await stage.untilJob("running");
      await takeBack(stage, await oneBox(stage));
      await stage.untilJob("succeeded");
      await stage.untilCluster("terminated");
    },
    amiss: stage => stage.jobEnded("succeeded", { attempts: 2 }),
  },
  reboot: {
    act: async stage => {
      await up(stage);
      await send(stage, taskOf("steady", { retry: { max: 2, on: ["host_lost"], backoff: 10 } }));
      await stage.untilJob("running");
      reboot(stage.sim, await oneBox(stage));
      await stage.untilJob("succeeded");
    },
    amiss: stage => stage.jobEnded("succeeded", { attempts: 2 }),
  },
  "cancel-in-recovery": {
    act: async stage => {
      await managed(stage, taskOf("steady"));
      await stage.untilJob("running");
      await takeBack(stage, await oneBox(stage));
      await stage.until("the job recovers", () => stage.has("job.recovering"));
      const { id = "" } = stage.job() ?? {};
      await stage.ask("cancel", (world, actor) => cancel(world, actor, id));
      await stage.untilJob("cancelled");
      await stage.untilCluster("terminated");
    },
    amiss: stage => stage.jobEnded("cancelled"),
  },
  array: {
    act: async stage => {
      await up(stage, [group("workers", 2)]);
      await send(stage, taskOf("sure", { runs: { count: 3, concurrent: 2 } }));
      await stage.until("the array has ended", () => stage.arrays[0]?.state === "succeeded");
    },
    amiss: stage => (stage.arrays[0]?.succeeded === 3 ? [] : [`the array is ${JSON.stringify(stage.arrays[0])}`]),
  },
  "cancel-array": {
    act: async stage => {
      await up(stage, [group("workers", 2)]);
      await send(stage, taskOf("hangs", { runs: { count: 5 } }));
      await stage.until("some run", () => stage.jobs.some(job => job.state === "running"));
      const { id = "" } = stage.arrays[0] ?? {};
      await stage.ask("cancel", (world, actor) => cancelArray(world, actor, id));
      await stage.until("the array has ended", () => stage.arrays[0]?.state === "cancelled");
    },
    amiss: stage => (stage.arrays[0]?.cancelled === 5 ? [] : [`the array is ${JSON.stringify(stage.arrays[0])}`]),
  },
  growth: {
    act: async stage => {
      await up(stage);
      await send(stage, taskOf("steady"));
      await stage.untilJob("running");
      await up(stage, [group("workers", 1), group("more", 1)]);
      await stage.until("the cluster has grown", () => stage.cluster?.state === "ready" && stage.cluster.nodes === 2);
      await stage.untilJob("succeeded");
    },
    amiss: stage => stage.jobEnded("succeeded", { attempts: 1 }),
  },
  move: {
    act: async stage => {
      await up(stage);
      await stage.untilCluster("ready");
      await stage.ask("stop", (world, actor) => Change.stop(world, actor, "one"));
      await stage.untilCluster("stopped");
      await stage.ask("move", (world, actor) => Change.start(world, actor, "one", { move: true }));
      await stage.untilCluster("ready");
      await send(stage, taskOf("sure"));
      await stage.untilJob("succeeded");
    },
    amiss: stage => stage.jobEnded("succeeded", { attempts: 1 }),
  },
};
