/** Containers from a task to its hosts, through the real verbs on SQLite in memory; hosts speak the agent's verbs without a machine. */
import * as Jobs from "@muster/core/job/read.ts";
import { submit, taskOf } from "@muster/core/job/submit.ts";
import { create as launch } from "@muster/core/launch/create.ts";
import { set } from "@muster/core/target/set.ts";
import * as Target from "@muster/core/target/target.ts";
import { Task } from "@muster/core/task/task.ts";
import { expect, test } from "vitest";
import { jobRequest, launchRequest, readyCluster } from "../support/requests.ts";
import { ADA, testWorld } from "../support/world.ts";

test("a job's hosts are told of its container", async () => {
  const world = testWorld();
  const { id, hosts } = await readyCluster(world);
  const container = { image: "ghcr.io/you/it:1.0", options: ["--shm-size=8g"] };
  await submit(world, ADA, id, jobRequest({ run: "true", container }));
  const [assignment] = (await hosts[0]?.poll())?.assignments ?? [];
  expect(assignment?.container).toEqual(container);
});

test("a job without a container has none on its hosts", async () => {
  const world = testWorld();
  const { id, hosts } = await readyCluster(world);
  await submit(world, ADA, id, jobRequest({ run: "true" }));
  const [assignment] = (await hosts[0]?.poll())?.assignments ?? [];
  expect(assignment?.run).toBe("true");
  expect(assignment).not.toHaveProperty("container");
});

test.each([
  [{}, { image: "lab.example.com/torch:1", options: [] }],
  [{ container: { image: "own", options: [] } }, { image: "own", options: [] }],
])("a target's container is that of its jobs, unless they have one of their own: %j", async (more, wanted) => {
  const world = testWorld();
  const resources = { image: "docker:lab.example.com/torch:1" };
  await set(world, ADA, "lab", Target.Change.parse({ provider: "fake", resources }));
  const { job } = await launch(world, ADA, {
    ...launchRequest,
    task: Task.parse({ run: "true", ...more }),
    target: "lab",
  });
  const kept = await taskOf(world.table, await Jobs.find(world, ADA, job?.id ?? ""));
  expect([kept.container, kept.resources.image]).toEqual([wanted, undefined]);
});

test("a task whose container's image or options cannot be is refused", () => {
  const refused = (container: unknown) =>
    Task.safeParse({ run: "true", container }).error?.issues.map(
      ({ path, message }) => `${path.join(".")}: ${message}`,
    );
  expect(refused({ image: "No Such" })).toEqual(["container.image: must be an image such as registry/name:tag"]);
  expect(refused({ image: "a", options: ["--pid=host"] })).toEqual([
    "container.options: has --pid=host, which cannot be: Muster ends all processes that it sees in the container",
  ]);
});
