/** What crash points and grids came to, in words. */
import { expected, type Failure } from "./enumerate.ts";
import type { GridFailure } from "./grids.ts";
import type { Points } from "./search.ts";

export function pointsSummary(done: Points, seconds: number): string {
  const names = Object.keys(done.awaits);
  const width = Math.max(...names.map(name => name.length));
  const all = expected(done);
  return [
    "awaits, by scenario and seed:",
    ...names.map(name => `  ${name.padEnd(width)} ${String(done.awaits[name]).padStart(5)}`),
    `${done.runs} runs in ${seconds.toFixed(1)} s: ${(done.runs / seconds).toFixed(1)} runs/s`,
    `points hit: ${done.hits} of ${all}${done.isWhole ? "" : ", NOT ALL"}`,
    `runs with violations: ${done.failures.length}`,
  ].join("\n");
}

const what = ({ violations }: Pick<Failure, "violations">): string =>
  violations.map(violation => `${violation.invariant} ${violation.message}`).join("\n  ");

const COMMAND = "npm run sim:crash -- ";

export function againPoint({ point, label, violations }: Failure): string {
  const { scenario, seed, at, fault } = point;
  const chosen = at === undefined ? "" : ` --await ${at} --fault ${fault}`;
  const about = label === undefined ? "with no fault" : `${fault} at ${label}`;
  return `${scenario} ${seed}, ${about}:\n  ${what({ violations })}\n  again: ${COMMAND}--scenario ${scenario} --seed ${seed}${chosen}`;
}

export const againGrid = ({ cell: { grid, late, at, seed }, label, violations }: GridFailure): string =>
  `${grid}, ${late} min late: ${label}\n  ${what({ violations })}\n  again: ${COMMAND}--grid ${grid} --late ${late} --at ${at} --seed ${seed}`;
