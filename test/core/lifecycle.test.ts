/** The laws of every lifecycle table. Pure: against the tables themselves. */
import { kind as array, JobArray } from "@muster/core/array/array.ts";
import { kind as attempt } from "@muster/core/attempt/attempt.ts";
import { Cluster, kind as cluster } from "@muster/core/cluster/cluster.ts";
import { Host, kind as host } from "@muster/core/host/host.ts";
import { Job, kind as job } from "@muster/core/job/job.ts";
import { lifecycle, violations } from "@muster/core/lifecycle.ts";
import { describe, expect, test } from "vitest";

const unions = { cluster: Cluster, job: Job, array: JobArray, host: Host };
const kinds = { cluster, job, array, host, attempt };

describe.each(Object.entries(kinds))("the lifecycle of a %s", (name, kind) => {
  test("every state can be reached, and every state ends", () => {
    expect(violations(kind.life)).toEqual([]);
  });

  test("its states are those of the record's variants", () => {
    const schema = kind.noun.schema as unknown as { options: { shape: { state: { value: string } } }[] };
    const variants = schema.options.map(option => option.shape.state.value);
    expect(variants.toSorted()).toEqual([...kind.life.states].toSorted());
    expect(name).toBe(kind.noun.type);
  });
});

test.each(["cluster", "job", "array"] as const)("every state of a %s that is not the end has a deadline", name => {
  const options = unions[name].options as unknown as { shape: Record<string, { value?: string }> }[];
  for (const { shape } of options) {
    const over = (kinds[name].life.isTerminal as (state: string) => boolean)(shape.state?.value ?? "");
    expect({ state: shape.state?.value, deadline: "dueAt" in shape }).toEqual({
      state: shape.state?.value,
      deadline: !over,
    });
  }
});

test("a table with a dead end or an island is told so", () => {
  const bad = lifecycle("thing", "new", { new: { go: "stuck" }, stuck: { again: "stuck" }, island: {} });
  expect(violations(bad)).toEqual([
    "thing: new never ends",
    "thing: stuck never ends",
    "thing: island cannot be reached from new",
  ]);
});

test("an event that a state does not take leads nowhere, whatever it is called", () => {
  expect(cluster.life.next("terminated", "remove")).toBeUndefined();
  expect(cluster.life.next("ready", "constructor" as never)).toBeUndefined();
});
