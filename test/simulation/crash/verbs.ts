/** What the scripts of users are made of. */
import * as Change from "@muster/core/cluster/change.ts";
import { create as createCluster } from "@muster/core/cluster/create.ts";
import { Idle } from "@muster/core/cluster/idle.ts";
import { moved, warned } from "@muster/core/host/heard.ts";
import { submit } from "@muster/core/job/submit.ts";
import { create as launch } from "@muster/core/launch/create.ts";
import type { Task } from "@muster/core/task/task.ts";
import { invoke } from "../invoke.ts";
import { SECOND } from "../kernel.ts";
import type { Box } from "../ports/cloud.ts";
import type { Stage } from "./stage.ts";

export const group = (name: string, nodes: number) => ({
  name,
  nodes,
  resources: { provider: "steel" },
  schedulable: true,
});

export const up = (stage: Stage, groups = [group("workers", 1)], idle?: object) =>
  stage.ask("up", (world, actor) =>
    createCluster(world, actor, {
      name: "one",
      groups,
      shared: false,
      ...(idle !== undefined && { idle: Idle.parse(idle) }),
    }),
  );

export const send = (stage: Stage, task: Task, name = "main") =>
  stage.ask("submit", (world, actor) => submit(world, actor, "one", bodyOf(task, name)));

/** A launch starts a cluster that is stopped; one that is just being stopped takes no jobs, and says so. */
export const insist = (stage: Stage, task: Task) =>
  stage.insist("launch", (world, actor) =>
    launch(world, actor, {
      task: { ...task, name: "main" },
      cluster: "one",
      shared: false,
      priority: 500,
      down: false,
    }),
  );

const bodyOf = (task: Task, name: string) => ({ task, name, priority: 500, down: false });

export const down = async (stage: Stage) => {
  await stage.ask("down", (world, actor) => Change.remove(world, actor, "one"));
  await stage.untilCluster("terminated");
};

export const managed = (stage: Stage, task: Task) =>
  stage.ask("launch", (world, actor) =>
    launch(world, actor, {
      task: { ...task, name: "main", resources: { provider: "steel" } },
      managed: true,
      shared: false,
      priority: 500,
      down: false,
    }),
  );

/** The cloud takes a machine back, and says so before and after. */
export async function takeBack(stage: Stage, box: Box): Promise<void> {
  const { sim } = stage;
  await invoke(sim, "event notice", box.workspace, world => warned(world, box.id, "interruption"));
  await sim.kernel.sleep(20 * SECOND, "two minutes go by faster here");
  sim.cloud.vanish(box);
  await invoke(sim, "event gone", box.workspace, world => moved(world, box.id));
}

export const oneBox = async (stage: Stage): Promise<Box> => {
  await stage.until("a machine runs", () => stage.boxes.length > 0);
  return stage.boxes[0] as Box;
};
