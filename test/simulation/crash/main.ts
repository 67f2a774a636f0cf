/**
 * Crash points: ten and more short scripts, each run once for every await of a port and every fault that may befall it; and
 * grids: something that is late, against something that happens meanwhile.
 *
 *   node test/simulation/crash/main.ts [--seeds 1] [--only SCENARIO,…] [--workers 2]
 *   node test/simulation/crash/main.ts --scenario X [--seed S] [--await K --fault F] [--trace]      one run, again
 *   node test/simulation/crash/main.ts --grids [--only GRID,…]
 *   node test/simulation/crash/main.ts --grid X --late MINUTES --at MINUTES --seed S [--trace]      one run, again
 */
import { parseArgs } from "node:util";
import { bugs } from "../bugs/bugs.ts";
import { plant } from "../bugs/plant.ts";
import type { Violation } from "../sim.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1" },
    workers: { type: "string", default: "2" },
    only: { type: "string" },
    scenario: { type: "string" },
    seed: { type: "string" },
    await: { type: "string" },
    fault: { type: "string" },
    grids: { type: "boolean", default: false },
    grid: { type: "string" },
    late: { type: "string", default: "1" },
    at: { type: "string", default: "1" },
    trace: { type: "boolean", default: false },
    bug: { type: "string" },
  },
});
const only = values.only?.split(",");
const workers = Number(values.workers);

process.exitCode = await chosen();

/** @returns the exit code: 0 when all is as it should be. */
function chosen(): Promise<number> {
  if (values.scenario !== undefined) return one(values.scenario);
  if (values.grid !== undefined) return oneOfGrid(values.grid);
  return values.grids ? grids() : points();
}

async function one(scenario: string): Promise<number> {
  const verify = values.bug === undefined ? undefined : plant(bugs[values.bug] ?? []);
  const { FIVE, runPoint } = await import("./point.ts");
  const { seedsOf } = await import("./enumerate.ts");
  verify?.();
  const [seed = 0] = values.seed === undefined ? seedsOf(scenario, 1) : [Number(values.seed)];
  const fault = FIVE.find(known => known === values.fault);
  if (values.fault !== undefined && fault === undefined) throw new Error(`no such fault; there are ${FIVE}`);
  const lines: string[] = [];
  const ran = await runPoint({ scenario, seed, ...(fault && { at: Number(values.await), fault }) }, lines);
  if (values.trace) console.log(lines.join("\n"));
  console.log(`${ran.awaits.length} awaits${ran.hit === undefined ? "" : `; ${fault} befell: ${ran.hit}`}`);
  return shown(ran.violations);
}

async function oneOfGrid(grid: string): Promise<number> {
  const verify = values.bug === undefined ? undefined : plant(bugs[values.bug] ?? []);
  const { runCell } = await import("./grids.ts");
  verify?.();
  const lines: string[] = [];
  const cell = { grid, late: Number(values.late), at: Number(values.at), seed: Number(values.seed ?? 0) };
  const ran = await runCell(cell, lines);
  if (values.trace) console.log(lines.join("\n"));
  console.log(ran.hit === undefined ? "nothing was late" : `late: ${ran.hit}`);
  return shown(ran.violations);
}

function shown(violations: readonly Violation[]): number {
  for (const { invariant, message } of violations) console.log(`${invariant} ${message}`);
  return violations.length === 0 ? 0 : 1;
}

async function points(): Promise<number> {
  const { searchPoints } = await import("./search.ts");
  const { againPoint, pointsSummary } = await import("./report.ts");
  const startedAt = performance.now();
  const done = await searchPoints({ only, seeds: Number(values.seeds), stopsAtFirst: false }, workers, values.bug);
  console.log(pointsSummary(done, (performance.now() - startedAt) / 1000));
  for (const failure of done.failures.slice(0, 20)) console.log(againPoint(failure));
  return done.failures.length === 0 && done.isWhole ? 0 : 1;
}

async function grids(): Promise<number> {
  const { searchGrids } = await import("./search.ts");
  const { againGrid } = await import("./report.ts");
  const startedAt = performance.now();
  const done = await searchGrids({ only, stopsAtFirst: false }, workers, values.bug);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${done.runs} runs in ${seconds} s; in ${done.hits} of them something was late`);
  console.log(`runs with violations: ${done.failures.length}`);
  for (const [grid, failures] of Map.groupBy(done.failures, failure => failure.cell.grid)) {
    console.log(`${grid}: ${failures.length}`);
    for (const failure of failures.slice(0, 3)) console.log(againGrid(failure));
  }
  return done.failures.length === 0 && done.runs > 0 ? 0 : 1;
}
