/**
 * Many jobs through one small cluster, on real processes: each runs once, none is lost, the control plane's memory stays
 * bounded, and a submit among thousands takes the time of one among a hundred. The control plane is a process of its own.
 *
 *     npm run many -- --jobs 10000 --hosts 4
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Task } from "@muster/core/task/task.ts";
import { clearHome, newHome, type OwnProcess, spawnPlane } from "../support/plane.ts";
import { until } from "../support/until.ts";

const { values } = parseArgs({
  options: { jobs: { type: "string", default: "10000" }, hosts: { type: "string", default: "4" } },
});
const count = Number(values.jobs);
const hosts = Number(values.hosts);

/** Submits whose times are compared: so many around the hundredth, and the last. */
const WINDOW = 100;
const RATIO = 1.2;
/** MB that the control plane may have grown by from the hundredth job to the end. */
const GROWTH = 150;
const HOUR = 3_600_000;

const home = newHome();
const plane = await spawnPlane(home);
const ran = join(home, "ran");

const rss = ({ pid }: OwnProcess): number =>
  Number(spawnSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" }).stdout) / 1024;
const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
const lines = (): string[] =>
  readFileSync(ran, "utf8")
    .split("\n")
    .filter(line => line !== "");

await plane.api.clusters.create({ body: { name: "many", nodes: hosts } });
await until("the cluster", async () => {
  const { state } = await plane.api.clusters.get({ params: { cluster: "many" } });
  return state === "ready";
});

const from = performance.now();
const times: number[] = [];
const ids: string[] = [];
let early = 0;
for (let index = 0; index < count; index++) {
  const task = Task.parse({ run: `echo ${index} >> ${ran}` });
  const begun = performance.now();
  const job = await plane.api.jobs.submit({ params: { cluster: "many" }, body: { task } });
  times.push(performance.now() - begun);
  ids.push(job.id);
  if (index === WINDOW) early = rss(plane);
}
const submitted = (performance.now() - from) / 1000;
const mostBefore = rss(plane);

let mostAfter = 0;
await until(
  "the end of all jobs",
  async () => {
    await new Promise(resolve => setTimeout(resolve, 1000));
    mostAfter = Math.max(mostAfter, rss(plane));
    const { items } = await plane.api.jobs.list({ query: { cluster: "many", active: "true", limit: 1 } });
    return items.length === 0 && lines().length >= count;
  },
  HOUR,
);
const took = (performance.now() - from) / 1000;

const amiss: string[] = [];
const seen = Map.groupBy(lines(), line => line);
for (let index = 0; index < count; index++) {
  const times = seen.get(String(index))?.length ?? 0;
  if (times !== 1) amiss.push(`job ${index} ran ${times} times`);
}
const states = new Map<string, number>();
for (const id of ids) {
  const { state } = await plane.api.jobs.get({ params: { job: id } });
  states.set(state, (states.get(state) ?? 0) + 1);
}
if (states.get("succeeded") !== count) amiss.push(`states: ${[...states].join("; ")}`);
const ratio = median(times.slice(-WINDOW)) / median(times.slice(WINDOW / 2, WINDOW + WINDOW / 2));
if (ratio > RATIO) amiss.push(`a submit at the end takes ${ratio.toFixed(2)} × that at the beginning`);
if (mostAfter - early > GROWTH) amiss.push(`the control plane has grown by ${(mostAfter - early).toFixed(0)} MB`);

console.log(
  `${count} jobs on ${hosts} hosts: submitted in ${submitted.toFixed(0)} s, ended after ${took.toFixed(0)} s`,
);
console.log(
  `each ran once: ${amiss.length === 0 ? "yes" : "see below"}; states: ${[...states].map(([name, many]) => `${many} ${name}`).join(", ")}`,
);
console.log(
  `submit, median: ${median(times.slice(WINDOW / 2, WINDOW + WINDOW / 2)).toFixed(2)} ms at ${WINDOW}, ${median(times.slice(-WINDOW)).toFixed(2)} ms at the end, ratio ${ratio.toFixed(2)}`,
);
console.log(
  `memory of the control plane: ${early.toFixed(0)} MB at ${WINDOW}, ${mostBefore.toFixed(0)} MB when all were submitted, ${mostAfter.toFixed(0)} MB at most after`,
);
for (const text of amiss.slice(0, 20)) console.log(text);
await plane.api.clusters.remove({ params: { cluster: "many" } });
await plane.kill();
clearHome(home);
console.log(amiss.length === 0 ? "1 passed, 0 failed" : "0 passed, 1 failed");
process.exit(amiss.length === 0 ? 0 : 1);
