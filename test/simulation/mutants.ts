/**
 * The score of planted bugs: each is searched for by seeds, by crash points and by grids. By hand; it takes hours.
 *
 *   node test/simulation/mutants.ts [--seeds 1000] [--rare 1000] [--steps 1500] [--every 7] [--only BUG,…] [--thrifty] [--workers 2]
 *
 * `--every N` takes each Nth crash point and cell; `--thrifty` asks these only for what no seed has found; `--rare N` asks only so
 * many seeds for those that are known to need points and grids.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { bugs, FOUND_WITHIN } from "./bugs/bugs.ts";
import { bySeeds } from "./bugs/by-seeds.ts";
import { RARE } from "./bugs/more.ts";
import { searchGrids, searchPoints } from "./crash/search.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: String(FOUND_WITHIN) },
    rare: { type: "string", default: String(FOUND_WITHIN) },
    steps: { type: "string", default: "1500" },
    every: { type: "string", default: "7" },
    only: { type: "string" },
    thrifty: { type: "boolean", default: false },
    workers: { type: "string", default: "2" },
  },
});
const rare = Number(values.rare);
const [seeds, steps, every, workers] = [values.seeds, values.steps, values.every, values.workers].map(Number) as [
  number,
  number,
  number,
  number,
];

/** How many of them must be found. */
const LEAST = 0.95;

interface Score {
  readonly bug: string;
  /** Each in words; undefined when it was not found so, and `-` when nobody looked. */
  readonly seed: string | undefined;
  readonly point: string | undefined;
  readonly cell: string | undefined;
}

const isFound = ({ seed, point, cell }: Score): boolean =>
  [seed, point, cell].some(found => found !== undefined && found !== "-");

const scores: Score[] = [];
console.log(row("planted bug", "seeds", "crash points", "grids"));
console.log(row("---", "---", "---", "---"));
for (const bug of values.only?.split(",") ?? Object.keys(bugs)) {
  const score = await scoreOf(bug);
  scores.push(score);
  console.log(row(bug, score.seed ?? "no", score.point ?? "no", score.cell ?? "no"));
}
process.exitCode = verdict();

async function scoreOf(bug: string): Promise<Score> {
  const seed = await seedFor(bug);
  if (values.thrifty && seed !== undefined) return { bug, seed, point: "-", cell: "-" };
  return { bug, seed, point: await byPoints(bug), cell: await byGrids(bug) };
}

async function seedFor(bug: string): Promise<string | undefined> {
  const { failures } = await bySeeds(bug, { from: 0, count: RARE.has(bug) ? rare : seeds, steps }, workers);
  const [first] = failures;
  return first && `${first.violations[0]?.invariant} seed ${first.seed}`;
}

async function byPoints(bug: string): Promise<string | undefined> {
  const { failures, runs } = await searchPoints({ seeds: 1, every, stopsAtFirst: true }, workers, bug);
  const [first] = failures;
  if (first === undefined) return undefined;
  const { scenario, at, fault } = first.point;
  return `${first.violations[0]?.invariant} ${scenario} ${at === undefined ? "with no fault" : `${at} ${fault}`}, run ${runs}`;
}

async function byGrids(bug: string): Promise<string | undefined> {
  const { failures, runs } = await searchGrids({ every, stopsAtFirst: true }, workers, bug);
  const [first] = failures;
  return first && `${first.violations[0]?.invariant} ${first.cell.grid}, run ${runs}`;
}

/** @returns the exit code: what is not found must be explained, and be little. */
function verdict(): number {
  const explained = readFileSync(new URL("./bugs/survivors.md", import.meta.url), "utf8");
  const survivors = scores.filter(score => !isFound(score)).map(({ bug }) => bug);
  const found = scores.length - survivors.length;
  console.log(`\nfound: ${found} of ${scores.length}, ${((100 * found) / scores.length).toFixed(1)} %`);
  for (const bug of survivors)
    console.log(`${bug} survives; ${explained.includes(`\`${bug}\``) ? "survivors.md says why" : "NOT EXPLAINED"}`);
  const isExplained = survivors.every(bug => explained.includes(`\`${bug}\``));
  return found >= LEAST * scores.length && isExplained ? 0 : 1;
}

function row(...cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
