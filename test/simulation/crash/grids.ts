/** Grids: each pair, for each delay of the one, each minute of the other, and some interleavings. */
import { MINUTE } from "../kernel.ts";
import { LONGEST_STALL, type Mishap } from "../process.ts";
import { Sim, type Violation } from "../sim.ts";
import { type Pair, pairs } from "./pairs.ts";
import { play } from "./point.ts";
import type { Stage } from "./stage.ts";

export const GRIDS = pairs;

export interface Cell {
  readonly grid: string;
  /** Minutes. */
  readonly late: number;
  /** Minutes from when the one thing was begun. */
  readonly at: number;
  readonly seed: number;
}

/** One worker's part. */
export interface GridPart {
  readonly grids: readonly string[];
  readonly every: number;
  readonly offset: number;
  readonly stride: number;
  readonly stopsAtFirst: boolean;
}

export interface GridFailure {
  readonly cell: Cell;
  readonly label: string | undefined;
  readonly violations: readonly Violation[];
}

export interface GridDone {
  readonly runs: number;
  /** Runs in which something was late. */
  readonly hits: number;
  readonly failures: readonly GridFailure[];
}

export const NO_CELLS: GridDone = { runs: 0, hits: 0, failures: [] };

export const mergeGrids = (a: GridDone, b: GridDone): GridDone => ({
  runs: a.runs + b.runs,
  hits: a.hits + b.hits,
  failures: [...a.failures, ...b.failures],
});

const LATE = Array.from({ length: 10 }, (_, index) => index + 1);
const AT = Array.from({ length: 12 }, (_, index) => index + 1);
const SEEDS = [0, 1, 2, 3, 4, 5];

const cells = (grids: readonly string[]): Cell[] =>
  grids.flatMap(grid => LATE.flatMap(late => AT.flatMap(at => SEEDS.map(seed => ({ grid, late, at, seed })))));

const mine = ({ grids, every, stride, offset }: GridPart): Cell[] =>
  cells(grids).filter((_, index) => index % (stride * every) === offset * every);

export async function* lay(part: GridPart): AsyncGenerator<GridDone> {
  let done = NO_CELLS;
  for (const cell of mine(part)) {
    const { hit, violations } = await runCell(cell);
    const failures = violations.length === 0 ? [] : [{ cell, label: hit, violations }];
    done = mergeGrids(done, { runs: 1, hits: hit === undefined ? 0 : 1, failures });
    yield done;
    if (part.stopsAtFirst && done.failures.length > 0) return;
  }
}

export async function runCell(
  { grid, late, at, seed }: Cell,
  lines?: string[],
): Promise<{ readonly hit: string | undefined; readonly violations: readonly Violation[] }> {
  const pair = pairs[grid];
  if (pair === undefined) throw new Error(`no such grid: ${grid}; there are ${Object.keys(pairs)}`);
  const sim = new Sim(seed, { lines, climate: { driven: seed % 2 === 1 } });
  let hit: string | undefined;
  const mishap: Mishap = { fault: "stall", late: late * MINUTE, isStill: seed % 3 === 0 };
  const plan = (label: string): Mishap | undefined => {
    if (hit !== undefined || !pair.late?.test(label)) return undefined;
    hit = label;
    return mishap;
  };
  sim.plan = () => undefined;
  const script = {
    act: (stage: Stage) =>
      act(stage, pair, { late, at }, () => {
        if (pair.hold !== undefined) hit = "the host's calls";
        sim.plan = plan;
      }),
    amiss: () => [],
  };
  const violations = await play(sim, script, LONGEST_STALL + 5 * MINUTE, () => {
    sim.plan = () => undefined;
  });
  return { hit, violations };
}

/** @param lay makes the one thing late, from then on */
async function act(stage: Stage, pair: Pair, { late, at }: Pick<Cell, "late" | "at">, lay: () => void): Promise<void> {
  await pair.prepare?.(stage);
  lay();
  await pair.begin?.(stage);
  pair.hold?.(stage, late);
  await stage.wait(at);
  await pair.other(stage);
  await pair.end(stage);
}
