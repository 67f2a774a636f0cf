/**
 * The real sst.config.ts with SST's real components, run against a resource monitor of ours in place of Pulumi's engine
 * and of AWS: what is asked for is seen, what AWS would say to it is not.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { load } from "./harness/load.ts";
import { stages } from "./harness/stages.ts";
import { View } from "./harness/view.ts";
import { laws } from "./laws/laws.ts";

describe.each(Object.entries(stages))("%s", (_name, stage) => {
  let view: View;
  beforeAll(async () => {
    view = new View(await load(stage), stage.given);
  });

  test("the program runs to its end", () => {
    expect(view.graph.errors).toEqual([]);
    expect(view.resources.length).toBeGreaterThan(150);
    expect(view.functions.map(({ name }) => name)).toEqual([
      "api",
      "config",
      "admin",
      "signin",
      "hooks",
      "agent",
      "lifecycle",
      "doorbell",
      "outbox",
      "events",
      "cron",
    ]);
  });

  test.each(Object.entries(laws))("%s", (_law, law) => {
    expect(law(view)).toEqual([]);
  });
});

test("two runs make the same graph, so that a difference is one of the code", async () => {
  expect(await load(stages.dev)).toEqual(await load(stages.dev));
});
