/**
 * A part of the crash points and grids (`npm run sim:crash` and `npm run sim:grids` are all of them), against core as it is:
 * simulated ports, a simulated cloud and a model of the agent, so it proves nothing about AWS or the real agent.
 */
import { expect, test } from "vitest";
import { searchGrids, searchPoints } from "../simulation/crash/search.ts";

test("each await of a launch that is deleted is hit by each fault, and comes to the same end", async () => {
  const done = await searchPoints({ only: ["delete-in-launch"], seeds: 1, stopsAtFirst: false }, 2);
  expect(done.failures).toEqual([]);
  expect(done.isWhole).toBe(true);
  expect(done.runs).toBeGreaterThan(300);
});

test("a crash between a report's two writes is found, and told with its place", async () => {
  const asked = { only: ["reboot"], seeds: 1, stopsAtFirst: true };
  const { failures } = await searchPoints(asked, 2, "running-reports-not-settled-again");
  const [failure] = failures;
  expect(failure?.point).toMatchObject({ scenario: "reboot", at: expect.any(Number), fault: expect.any(String) });
  expect(failure?.label).toContain("report running");
});

test("a grid finds a launch that lands after its cluster's end", async () => {
  const asked = { only: ["create-delete"], every: 3, stopsAtFirst: true };
  const found = await searchGrids(asked, 2, "calls-in-doubt-forgotten-soon");
  expect(found.failures[0]?.label).toContain(" launch ");
  const sound = await searchGrids({ ...asked, every: 12 }, 2);
  expect(sound.failures).toEqual([]);
  expect(sound.hits).toBe(60);
});
