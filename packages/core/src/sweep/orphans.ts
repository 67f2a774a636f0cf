/**
 * The sweep of what nobody owns. The cloud is listed first, then the records are read, so that they are never older than
 * what they are held against. What fails for one provider, cluster or thing is logged, and keeps no other from being swept.
 *
 * Gotcha: only what bears this deployment's tags is ever listed. That is the provider's part.
 */
import * as Brake from "../host/brake.ts";
import type { MachineProvider } from "../ports/provider.ts";
import type { World } from "../ports/world.ts";
import type { Swept } from "./finding.ts";
import { runs } from "./judge.ts";
import { sweepMachines } from "./machines.ts";
import { sweepImages, sweepLeftovers, sweepSnapshots } from "./rest.ts";
import { isIn, type Scope } from "./scope.ts";
import { surviving } from "./surviving.ts";

/** All of it. @returns the ids of the machines that were told to end. */
export async function sweepOrphans(world: World): Promise<string[]> {
  const swept = await sweep(world, {});
  return swept.flatMap(({ act, outcome, id }) => (act === "terminate" && outcome === "done" ? [id] : []));
}

/** @returns what was found, and what came of it. */
export async function sweep(world: World, scope: Scope): Promise<Swept[]> {
  const swept: Swept[] = [];
  for (const provider of world.providers.values()) {
    const about = { provider: provider.name };
    const found = await surviving(
      world,
      "a provider could not be swept",
      about,
      () => sweepOne(world, provider, scope),
      scope.tell,
    );
    swept.push(...(found ?? []));
  }
  return swept;
}

async function sweepOne(world: World, provider: MachineProvider, scope: Scope): Promise<Swept[]> {
  const about = { provider: provider.name };
  const part = async (failure: string, run: () => Promise<Swept[]>) =>
    (await surviving(world, failure, about, run, scope.tell)) ?? [];
  const snapshots = await part("snapshots could not be swept", () => sweepSnapshots(world, provider, scope));
  const images = await part("images could not be swept", () => sweepImages(world, provider, scope));
  const listed = await provider.sweep();
  if (scope.workspace === undefined)
    await surviving(world, "hosts could not be counted", about, () =>
      Brake.count(world, provider.name, listed.filter(runs).length),
    );
  const mine = listed.filter(machine => isIn(scope, machine));
  const machines = await sweepMachines(world, provider, mine, scope);
  const left = await part("what clusters left could not be swept", () =>
    sweepLeftovers(world, provider, listed, scope),
  );
  return [...machines, ...snapshots, ...images, ...left];
}
