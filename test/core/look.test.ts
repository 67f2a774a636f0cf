/** Looking around among machine types. Pure, over a list of ours. */
import type { Listed } from "@muster/core/ports/provider.ts";
import type { Catalog, Offering } from "@muster/core/ports/world.ts";
import { catalog } from "@muster/core/provider/look.ts";
import { expect, test } from "vitest";

const types: Listed[] = [
  { provider: "shop", instanceType: "big", cpus: 8, memory: 32, accelerators: { A100: 1 }, zones: [], localDisk: 900 },
  { provider: "shop", instanceType: "small", cpus: 2, memory: 4, accelerators: {}, zones: [], hourly: 0.04 },
];
const providers: Catalog = new Map([["shop", { name: "shop", catalog: async () => types } as unknown as Offering]]);

test.each([
  [{ all: false }, ["big"]],
  [{ all: true }, ["small", "big"]],
  [{ all: false, instanceType: "small" }, ["small"]],
  [{ all: true, instanceType: "big" }, ["big"]],
  [{ all: true, instanceType: "bi" }, []],
])("%j", async (query, names) => {
  expect((await catalog({ providers }, query)).items.map(one => one.instanceType)).toEqual(names);
});

test("a type says what a stop of it empties", async () => {
  expect((await catalog({ providers }, { all: true })).items).toEqual([
    expect.not.objectContaining({ localDisk: expect.anything() }),
    expect.objectContaining({ localDisk: 900 }),
  ]);
});
