/**
 * The simulation's command line.
 *
 *   node test/simulation/main.ts [--seeds 2000] [--steps 1000] [--from 0] [--workers 2]
 *   node test/simulation/main.ts --seed N [--trace]      one run, again; [--without FAULT,…] less than goes wrong in it
 *   node test/simulation/main.ts --bug NAME | --bugs     with bugs planted: the run fails when one is not found
 *
 * `--mix MIX` lets users do that in each seed, and not what the seed draws.
 */
import { parseArgs } from "node:util";
import { bugs, FOUND_WITHIN } from "./bugs/bugs.ts";
import { bySeeds } from "./bugs/by-seeds.ts";
import { hardest } from "./bugs/hardest.ts";
import { RARE } from "./bugs/more.ts";
import { plant } from "./bugs/plant.ts";
import { unmet } from "./coverage.ts";
import { FAULTS, type Fault } from "./faults.ts";
import type { Sum } from "./hunt.ts";
import { type Mix, mixes } from "./mixes.ts";
import { hunt } from "./parent.ts";
import { bugLine, failureLines, progress, smallerLine, summary, unmetLine } from "./report.ts";
import { shrink } from "./shrink.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "2000" },
    steps: { type: "string", default: "1000" },
    from: { type: "string", default: "0" },
    workers: { type: "string", default: "2" },
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
    without: { type: "string", default: "" },
    mix: { type: "string" },
    bug: { type: "string" },
    bugs: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const [seeds, steps, from, workers] = [values.seeds, values.steps, values.from, values.workers].map(Number) as [
  number,
  number,
  number,
  number,
];
/** How many of the seeds that fail are made smaller. */
const SHRUNK = 3;
const without = values.without.split(",").filter(Boolean) as Fault[];
const mix = values.mix as Mix | undefined;

process.exitCode = await chosen();

/** @returns the exit code: 0 when all is as it should be. */
function chosen(): Promise<number> {
  if (values.seed !== undefined) return one(Number(values.seed));
  if (values.bugs) return all();
  if (values.bug !== undefined) return find(values.bug);
  return many();
}

async function one(seed: number): Promise<number> {
  const unknown = without.filter(fault => !FAULTS.includes(fault));
  if (unknown.length > 0) throw new Error(`no such fault: ${unknown}; there are ${FAULTS.join(", ")}`);
  if (mix && !(mix in mixes)) throw new Error(`no such mix: ${mix}; there are ${Object.keys(mixes).join(", ")}`);
  const verify = values.bug === undefined ? undefined : plant(bugs[values.bug] ?? []);
  const { run } = await import("./run.ts");
  verify?.();
  const lines: string[] | undefined = values.trace ? [] : undefined;
  const result = await run(seed, steps, { lines, without, mix });
  if (lines) console.log(lines.join("\n"));
  console.log(JSON.stringify(result, null, 2));
  return result.violations.length === 0 ? 0 : 1;
}

async function many(): Promise<number> {
  const startedAt = performance.now();
  const sum = await hunt({ from, count: seeds, steps, stopsAtFirst: false, mix }, workers, undefined, show());
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(values.json ? JSON.stringify({ ...sum, seconds }) : summary(sum, seconds));
  for (const line of failureLines(sum, steps)) console.log(line);
  for (const failure of sum.failures.slice(0, SHRUNK)) console.log(await smaller(failure));
  const missing = mix === undefined ? unmet(sum) : [];
  if (missing.length > 0) console.log(unmetLine(missing));
  return sum.failures.length === 0 && missing.length === 0 ? 0 : 1;
}

async function smaller({ seed, violations }: Sum["failures"][number]): Promise<string> {
  const { run } = await import("./run.ts");
  const again = async (fewer: number, left: readonly Fault[]) =>
    (await run(seed, fewer, { without: left, mix })).violations;
  return smallerLine(seed, await shrink({ steps, without: [], violations }, again));
}

/** A planted bug: found is good. */
async function find(bug: string, by = workers): Promise<number> {
  const sum = await bySeeds(bug, { from, count: Math.min(seeds, FOUND_WITHIN), steps, mix }, by);
  console.log(values.json ? JSON.stringify(sum) : bugLine(bug, sum, steps, mix ?? hardest[bug]));
  return sum.failures.length > 0 ? 0 : 1;
}

/** As many bugs at a time as there are workers: most are found by the first few seeds, and it is starting that takes time. */
async function all(): Promise<number> {
  const left = Object.keys(bugs)
    .filter(name => !RARE.has(name))
    .values();
  const codes: number[] = [];
  const worker = async () => {
    for (const bug of left) codes.push(await find(bug, 1));
  };
  await Promise.all(Array.from({ length: workers }, worker));
  console.log(`found: ${codes.filter(code => code === 0).length} of ${codes.length}`);
  return Math.max(...codes);
}

function show(): (sum: Sum) => void {
  return process.stderr.isTTY ? progress(seeds) : () => undefined;
}
