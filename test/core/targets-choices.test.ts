/** What targets make of requests with choices, and of providers that are there no more. Core on SQLite, a provider of ours. */
import * as CreateCluster from "@muster/core/cluster/create.ts";
import { plan } from "@muster/core/launch/create.ts";
import * as Launch from "@muster/core/launch/launch.ts";
import { choicesOf } from "@muster/core/provider/choices.ts";
import { resolve } from "@muster/core/target/resolve.ts";
import { set } from "@muster/core/target/set.ts";
import * as Target from "@muster/core/target/target.ts";
import type { Choice, Resources } from "@muster/core/task/resources.ts";
import { describe, expect, test } from "vitest";
import { clusterRequest } from "../support/requests.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";

async function having(name: string, resources: Choice): Promise<TestWorld> {
  const world = testWorld();
  await set(world, ADA, name, Target.Change.parse({ provider: "fake", resources }));
  return world;
}

/** What each of the choices asks for in the end. */
async function meant(world: TestWorld, resources: Resources, target?: string) {
  const { request, notices } = await resolve(world, ADA, { resources, target });
  return { choices: choicesOf(request.resources ?? {}), notices };
}

const accelerators = { A100: 8 };

describe("what a task says of one choice", () => {
  const LAB = { instanceType: "large", region: "r1", zone: "r1a", spot: true, spotFallback: true, diskSize: 50 };

  test("stands over the target as what it says of all of them does", async () => {
    const world = await having("lab", LAB);
    const anyOf = [{ accelerators }, { region: "r2" }, { spot: false, diskSize: 9 }, {}];
    const { choices } = await meant(world, { anyOf }, "lab");
    const { instanceType: _, ...shapeless } = LAB;
    const { zone: __, ...elsewhere } = LAB;
    const { spotFallback: ___, ...onDemand } = LAB;
    expect(choices).toEqual(
      [
        { ...shapeless, accelerators },
        { ...elsewhere, region: "r2" },
        { ...onDemand, spot: false, diskSize: 9 },
        LAB,
      ].map(choice => ({ ...choice, provider: "fake" })),
    );
    const { choices: sized } = await meant(world, { diskSize: 7, ordered: [{}, { diskSize: 8 }] }, "lab");
    expect(sized.map(({ diskSize }) => diskSize)).toEqual([7, 8]);
  });

  test("and of all of them stands over a cloud's stand-in, in that choice too", async () => {
    const world = await having("gcp", LAB);
    const anyOf = [{ provider: "gcp" }, { provider: "fake" }];
    const { choices } = await meant(world, { diskSize: 5, spot: false, anyOf });
    expect(choices[0]).toEqual({
      provider: "fake",
      instanceType: "large",
      region: "r1",
      zone: "r1a",
      spot: false,
      diskSize: 5,
    });
    expect(choices[1]).toEqual({ provider: "fake", spot: false, diskSize: 5 });
  });
});

test("where all choices are of one cloud, what is said beside them is that cloud's as well", async () => {
  const world = await having("gcp", { region: "r1" });
  const anyOf = [{ provider: "gcp", accelerators }, { provider: "gcp" }];
  const said = { region: "us-central1", instanceType: "a2-highgpu-8g", anyOf };
  const wanted = [
    { provider: "fake", region: "r1", accelerators },
    { provider: "fake", region: "r1" },
  ];
  const left = "left out, as it is that cloud's: region us-central1, instance_type a2-highgpu-8g";
  expect(await meant(world, said)).toEqual({
    choices: wanted,
    notices: [`cloud gcp → target gcp: provider fake; ${left}`],
  });
  expect(await meant(world, said, "gcp")).toEqual({
    choices: wanted,
    notices: [`target gcp: provider fake in place of cloud gcp; ${left}`],
  });
});

describe("a target whose provider is there no more", () => {
  async function lost(name: string): Promise<TestWorld> {
    const world = await having(name, {});
    const moon = Object.assign(Object.create(world.provider), { name: "moon" });
    return { ...world, providers: new Map([["moon", moon]]) };
  }

  test("is refused by its name, not by a cloud that the task never named", async () => {
    const world = await lost("lab");
    const refused = {
      code: "unsupported",
      message: "target 'lab' is on provider 'fake', which this control plane does not have; it has: moon",
      details: {
        issues: [{ path: "target", message: "its provider is not here" }],
        hint: "set it anew: muster targets set lab --provider moon",
      },
    };
    const body = Launch.Create.parse({ task: { run: "true" }, target: "lab" });
    await expect(plan(world, ADA, body)).rejects.toMatchObject(refused);
    const cluster = CreateCluster.create(world, ADA, clusterRequest({ target: "lab" }));
    await expect(cluster).rejects.toMatchObject(refused);
  });

  test("stands in for no cloud, and keeps no other choice from being had", async () => {
    const world = await lost("gcp");
    await expect(meant(world, { provider: "gcp" })).rejects.toMatchObject({
      message: "this control plane has no provider 'gcp'; it has: moon",
      details: { hint: expect.stringContaining("muster targets set gcp --provider moon") },
    });
    const anyOf = [{ provider: "gcp" }, { provider: "moon" }];
    expect(await meant(world, { anyOf })).toEqual({ choices: anyOf, notices: [] });
  });
});
