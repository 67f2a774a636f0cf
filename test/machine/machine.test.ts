/**
 * The state machines, checked by asl-validator and run by aws-local-stepfunctions (neither is ours) against the real step
 * handler. The world below is SQLite in memory and a provider of ours.
 */

import * as Change from "@muster/core/cluster/change.ts";
import * as Create from "@muster/core/cluster/create.ts";
import * as Read from "@muster/core/cluster/read.ts";
import { definitions } from "@muster/core/machine/definitions.ts";
import aslValidator from "asl-validator";
import { StateMachine } from "aws-local-stepfunctions";
import { describe, expect, test } from "vitest";
import { step as handler } from "../../functions/lifecycle/step.ts";
import { enrollAll } from "../support/host.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";

describe.each(Object.entries(definitions))("%s", (_name, definition) => {
  test("is valid Amazon States Language", () => {
    expect(aslValidator(definition as never)).toMatchObject({ isValid: true });
  });

  test("every task has a time limit, retries what may pass, and catches the rest", () => {
    const tasks = Object.values(
      definition.States as Record<string, { Type: string; TimeoutSeconds?: number; Retry?: unknown; Catch?: unknown }>,
    ).filter(state => state.Type === "Task");
    expect(tasks.length).toBeGreaterThan(0);
    for (const task of tasks)
      expect([typeof task.TimeoutSeconds, Array.isArray(task.Retry), Array.isArray(task.Catch)]).toEqual([
        "number",
        true,
        true,
      ]);
  });
});

/** Runs a machine with the real handler; waits pass at once on the world's own clock. `onStep` acts as the world outside. */
async function run(
  world: TestWorld,
  name: keyof typeof definitions,
  clusterId: string,
  onStep: (step: string) => Promise<void> = async () => undefined,
) {
  const definition = structuredClone(definitions[name]) as {
    States: Record<string, { Type: string; Seconds?: number }>;
  };
  const steps: string[] = [];
  const handle = handler(world);
  const tasks = Object.entries(definition.States).filter(([, state]) => state.Type === "Task");
  const local = Object.fromEntries(
    tasks.map(([state]) => [
      state,
      async (input: { Payload: { step: string } }) => {
        steps.push(input.Payload.step);
        await onStep(input.Payload.step);
        return { StatusCode: 200, Payload: await handle(input.Payload) };
      },
    ]),
  );
  const pauses = Object.entries(definition.States).filter(([, state]) => state.Type === "Wait");
  const machine = new StateMachine(definition as never, { validationOptions: { noValidate: true } });
  const execution = machine.run(
    { workspace: "acme", clusterId },
    {
      overrides: {
        taskResourceLocalHandlers: local as never,
        waitTimeOverrides: Object.fromEntries(pauses.map(([state]) => [state, 0])),
      },
    },
  );
  await execution.result;
  return steps;
}

async function requested(world: TestWorld) {
  return (await Create.create(world, ADA, { name: "demo", nodes: 2, resources: {}, shared: false })).id;
}

test("cluster-up brings a cluster from request to ready", async () => {
  const world = testWorld();
  const id = await requested(world);
  const steps = await run(world, "cluster-up", id, async step => {
    if (step === "tick") await enrollAll(world);
  });
  expect(steps).toEqual(["plan", "tick"]);
  expect((await Read.get(world, ADA, id)).state).toBe("ready");
});

test("cluster-up goes on ticking until the hosts call home, and drains what never does", async () => {
  const world = testWorld();
  const id = await requested(world);
  const steps = await run(world, "cluster-up", id, async () => world.clock.pass(60_000));
  expect(steps.filter(step => step === "tick").length).toBeGreaterThanOrEqual(5);
  expect(await Read.get(world, ADA, id)).toMatchObject({ state: "failed", failure: { code: "boot_timeout" } });
});

test("cluster-up survives a launch whose answer is lost", async () => {
  const world = testWorld();
  const id = await requested(world);
  world.provider.loseAnswer = new Error("connection reset");
  await run(world, "cluster-up", id, async step => {
    world.clock.pass(61_000);
    if (step === "tick" && world.provider.intents.length > 1) await enrollAll(world);
  });
  expect(world.provider.machines.size).toBe(2);
  expect((await Read.get(world, ADA, id)).state).toBe("ready");
});

test("cluster-down ends only when the provider says that nothing is left", async () => {
  const world = testWorld();
  const id = await requested(world);
  await run(world, "cluster-up", id, async step => {
    if (step === "tick") await enrollAll(world);
  });
  world.provider.obeys = false;
  await Change.remove(world, ADA, id);
  const looks: number[] = [];
  await run(world, "cluster-down", id, async () => {
    world.clock.pass(10_000);
    looks.push(world.provider.machines.size);
    if (looks.length === 5) world.provider.obeys = true;
  });
  expect(looks).toEqual([2, 2, 2, 2, 2]);
  expect(await Read.get(world, ADA, id)).toMatchObject({ state: "terminated" });
});
