/**
 * The simulation's command line.
 *
 *   node test/simulation/main.ts [--seeds 2000] [--steps 1500] [--from 0] [--workers 2]
 *   node test/simulation/main.ts --seed N [--trace]      one run, again; [--without FAULT,…] less than goes wrong in it
 *   node test/simulation/main.ts --bug NAME | --bugs     with bugs planted: the run fails when one is not found
 */
import { parseArgs } from "node:util";
import { bugs, FOUND_WITHIN } from "./bugs/bugs.ts";
import { RARE } from "./bugs/more.ts";
import { plant } from "./bugs/plant.ts";
import { FAULTS, type Fault } from "./faults.ts";
import { NOTHING, type Sum } from "./hunt.ts";
import { hunt } from "./parent.ts";
import { bugLine, failureLines, progress, smallerLine, summary } from "./report.ts";
import { shrink } from "./shrink.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "2000" },
    steps: { type: "string", default: "1500" },
    from: { type: "string", default: "0" },
    workers: { type: "string", default: "2" },
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
    without: { type: "string", default: "" },
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
  const verify = values.bug === undefined ? undefined : plant(bugs[values.bug] ?? []);
  const { run } = await import("./run.ts");
  verify?.();
  const lines: string[] | undefined = values.trace ? [] : undefined;
  const result = await run(seed, steps, { lines, without });
  if (lines) console.log(lines.join("\n"));
  console.log(JSON.stringify(result, null, 2));
  return result.violations.length === 0 ? 0 : 1;
}

async function many(): Promise<number> {
  const startedAt = performance.now();
  const sum = await search(undefined, seeds, false);
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(values.json ? JSON.stringify({ ...sum, seconds }) : summary(sum, seconds));
  for (const line of failureLines(sum, steps)) console.log(line);
  for (const failure of sum.failures.slice(0, SHRUNK)) console.log(await smaller(failure));
  return sum.failures.length === 0 ? 0 : 1;
}

async function smaller({ seed, violations }: Sum["failures"][number]): Promise<string> {
  const { run } = await import("./run.ts");
  const again = async (fewer: number, left: readonly Fault[]) => (await run(seed, fewer, { without: left })).violations;
  return smallerLine(seed, await shrink({ steps, without: [], violations }, again));
}

/** A planted bug: found is good. */
async function find(bug: string): Promise<number> {
  const sum = await search(bug, Math.min(seeds, FOUND_WITHIN), true);
  console.log(values.json ? JSON.stringify(sum) : bugLine(bug, sum, steps));
  return sum.failures.length > 0 ? 0 : 1;
}

async function all(): Promise<number> {
  const codes: number[] = [];
  for (const bug of Object.keys(bugs).filter(name => !RARE.has(name))) codes.push(await find(bug));
  return Math.max(...codes);
}

async function search(bug: string | undefined, count: number, stopsAtFirst: boolean): Promise<Sum> {
  const show = process.stderr.isTTY ? progress(count) : () => undefined;
  const sum = await hunt({ from, count, steps, stopsAtFirst }, workers, bug, show);
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  return sum ?? NOTHING;
}
