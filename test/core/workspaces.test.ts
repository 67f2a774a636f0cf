/** Workspaces, made and listed; the real verbs over the SQLite table in memory. */

import * as Budgets from "@muster/core/budget/change.ts";
import * as Clusters from "@muster/core/cluster/create.ts";
import * as Read from "@muster/core/cluster/read.ts";
import * as Quotas from "@muster/core/quota/change.ts";
import { create } from "@muster/core/workspace/create.ts";
import { list } from "@muster/core/workspace/list.ts";
import { get, Name } from "@muster/core/workspace/workspace.ts";
import { expect, test } from "vitest";
import { clusterRequest, code } from "../support/requests.ts";
import { ADA, testWorld } from "../support/world.ts";

const MAX = { workspace: "main", id: "usr_max", role: "admin" } as const;

test("a workspace is made once, and listed by name with the one that the deployment began with", async () => {
  const world = testWorld();
  expect(await list(world, MAX, { limit: 10 })).toEqual({ items: [{ name: "main" }] });
  const made = await create(world, MAX, { name: "vision" });
  await create(world, MAX, { name: "audio" });
  expect(made).toEqual({ name: "vision", createdAt: world.clock.now(), createdBy: MAX.id });
  const { items } = await list(world, MAX, { limit: 10 });
  expect(items.map(({ name }) => name)).toEqual(["audio", "main", "vision"]);
  const first = await list(world, MAX, { limit: 2 });
  expect(first.items).toHaveLength(2);
  const rest = await list(world, MAX, { limit: 2, ...(first.cursor !== undefined && { cursor: first.cursor }) });
  expect([...first.items, ...rest.items].map(({ name }) => name)).toEqual(["audio", "main", "vision"]);
  expect(await get(world, MAX, "vision")).toEqual(made);
  for (const name of ["vision", "main", "local"]) expect(await code(create(world, MAX, { name }))).toBe("name_taken");
  expect(await code(get(world, MAX, "nowhere"))).toBe("not_found");
});

test("only admins of the first one look after them; the embedded control plane's has its own", async () => {
  const world = testWorld();
  for (const actor of [{ ...ADA, role: "admin" } as const, { ...MAX, role: "member" } as const])
    expect([
      await code(create(world, actor, { name: "x" })),
      await code(list(world, actor, { limit: 1 })),
      await code(get(world, actor, actor.workspace)),
    ]).toEqual(["forbidden", "forbidden", "forbidden"]);
  const local = { ...MAX, workspace: "local" };
  expect(await list(world, local, { limit: 10 })).toEqual({ items: [{ name: "local" }] });
});

test("a new one has the budget and the quotas that every workspace begins with, and nothing of the others", async () => {
  const world = testWorld();
  await create(world, MAX, { name: "vision" });
  await Clusters.create(world, MAX, clusterRequest());
  await Budgets.change(world, MAX, { hourly: 5, monthly: null });
  await Quotas.change(world, MAX, { hosts: 1 });
  const zoe = { workspace: "vision", id: "usr_zoe", role: "admin" } as const;
  const budget = await Budgets.get(world, zoe);
  expect([budget.hourly, budget.monthly.ceiling, budget.each]).toEqual([{ taken: 0 }, 1000, 10]);
  const { quotas } = await Quotas.get(world, zoe);
  expect(quotas.map(one => [one.used, one.limit])).toEqual(quotas.map(one => [0, one.default ?? undefined]));
  expect((await Read.list(world, zoe, { limit: 10, all: true })).items).toEqual([]);
  // A name is a workspace's own.
  expect((await Clusters.create(world, zoe, clusterRequest())).owner).toBe("usr_zoe");
});

test.each([
  ["vision", true],
  ["a", true],
  ["team-7", true],
  ["a".repeat(32), true],
  ["a".repeat(33), false],
  ["Vision", false],
  ["-a", false],
  ["a-", false],
  ["a#b", false],
  ["a/b", false],
  ["a_b", false],
  ["é", false],
  ["", false],
])("%j as a name: %s", (name, isOne) => {
  expect(Name.safeParse(name).success).toBe(isOne);
});
