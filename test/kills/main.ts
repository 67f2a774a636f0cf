/**
 * Attempts that are killed at a random moment: SIGKILL of the agent, SIGKILL of the control plane (which is started again),
 * or a host whose folder is removed, disk, agent's files and all. Real processes on this machine; the control plane is a
 * process of its own. After each, the job has ended as it should, its log is what it printed, and nothing of it runs.
 *
 *     npm run kills -- --runs 500 --seed 1
 */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type * as Job from "@muster/core/job/job.ts";
import { Rng } from "../simulation/rng.ts";
import { clearHome, ended, launch, logOf, newHome, type OwnProcess, spawnPlane } from "../support/plane.ts";
import { until } from "../support/until.ts";

const { values } = parseArgs({
  options: { runs: { type: "string", default: "50" }, seed: { type: "string", default: "1" } },
});
const runs = Number(values.runs);
const seed = Number(values.seed);

const LINES = 20;
const expected = Array.from({ length: LINES }, (_, line) => `line ${line}\n`).join("");
/** The longest that any job may take to its end, in ms. */
const PATIENCE = 120_000;

type Victim = "agent" | "control plane" | "host";

interface Kill {
  readonly victim: Victim;
  /** ms from the submit's answer. */
  readonly after: number;
  readonly exitCode: number;
}

interface Outcome extends Kill {
  readonly state: Job.State | "none";
  readonly amiss: readonly string[];
  readonly took: number;
}

const drawn = (rng: Rng): Kill => ({
  victim: rng.pick<Victim>(["agent", "control plane", "host"]),
  after: rng.int(1200),
  exitCode: rng.pick([0, 0, 7]),
});

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

/** Machines that are there, by the name of their folder. */
const machines = (home: string): string[] =>
  existsSync(join(home, "machines")) ? readdirSync(join(home, "machines")) : [];

/** Pids whose environment or command has this text. */
function pidsWith(file: "environ" | "cmdline", text: string): number[] {
  const pids = readdirSync("/proc").filter(name => /^\d+$/.test(name));
  return pids.map(Number).filter(pid => pid !== process.pid && slurp(`/proc/${pid}/${file}`).includes(text));
}

function slurp(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

function kill(pids: readonly number[]): void {
  for (const pid of pids)
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
}

/** What a program has just forked bears its command until it begins its own: it may be a job's by the time of the blow. */
const withoutForks = (pids: readonly number[]): number[] =>
  pids.filter(pid => !pids.includes(Number(slurp(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ")[1])));

/** Also what comes while it is removed: a removal may end where somebody else has taken a file away. */
function remove(folder: string): void {
  while (existsSync(folder)) rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 5 });
}

/** Does it. @returns the control plane that there is now. */
async function strike(plane: OwnProcess, { victim }: Kill): Promise<OwnProcess> {
  if (victim === "control plane") {
    await plane.kill();
    return spawnPlane(plane.home);
  }
  for (const name of machines(plane.home)) {
    const disk = join(plane.home, "machines", name);
    if (victim === "agent") kill(withoutForks(pidsWith("cmdline", `--home\0${disk}`)));
    else remove(disk);
  }
  return plane;
}

/** What bash says when its script goes before it has read it. */
const MISSED = /^\S*bash: \S+\/run\.sh: No such file or directory\n/;

const unlike = (what: string, log: string): string => `its log is not ${what}: ${JSON.stringify(log)}`;

/** Whether a job that met this end has ended as it should. */
function judge(kill: Kill, job: Job.Info, log: string): string[] {
  const asWritten = job.state === (kill.exitCode === 0 ? "succeeded" : "failed") && job.exitCode === kill.exitCode;
  if (asWritten) return judgeLog(kill, job, log);
  if (kill.victim !== "host") return [`it is ${job.state}, exit ${job.exitCode}: ${job.failure?.message}`];
  const lost = job.state === "failed" && ["host_lost", "hosts_lost", "interrupted"].includes(job.failure?.code ?? "");
  return [
    ...(lost ? [] : [`it is ${job.state}: ${job.failure?.code} ${job.failure?.message}`]),
    ...(expected.startsWith(log.replace(MISSED, "")) ? [] : [unlike("the beginning of what it printed", log)]),
  ];
}

/** Of a log whose file went with the disk nobody knows that it is whole, and it must not be called so. */
function judgeLog({ victim }: Kill, { logsComplete }: Job.Info, log: string): string[] {
  if (victim === "host" && !logsComplete)
    return expected.startsWith(log) ? [] : [unlike("the beginning of what it printed", log)];
  if (!logsComplete) return ["its log is called incomplete"];
  return log === expected ? [] : [unlike("what it printed", log)];
}

const begun = async (plane: OwnProcess, { id }: { readonly id: string }): Promise<boolean> =>
  (await plane.api.jobs.get({ params: { job: id } })).state !== "queued";

async function run(plane: OwnProcess, index: number): Promise<{ plane: OwnProcess; outcome: Outcome }> {
  const what = drawn(new Rng(seed * 100_003 + index));
  const from = performance.now();
  const script = `for i in $(seq 0 ${LINES - 1}); do echo "line $i"; sleep 0.03; done; exit ${what.exitCode}`;
  const submitted = await until("a submit", () =>
    launch(plane, `kills-${index}`, { run: script }).catch(() => undefined),
  );
  // A host that is lost while it boots is waited for until its time to boot is over, which is known and takes a minute.
  if (what.victim === "host") await until("the job's host", () => begun(plane, submitted).catch(() => undefined));
  await pause(what.after);
  const now = await strike(plane, what);
  const done = (state: Job.State | "none", amiss: readonly string[]) => ({
    plane: now,
    outcome: { ...what, state, amiss, took: performance.now() - from },
  });
  try {
    const job = await until("the job's end", () => ended(now, submitted).catch(() => undefined), PATIENCE);
    const amiss = judge(what, job, await logOf(now, job, { phase: "run" }));
    await until("its processes' end", () => pidsWith("environ", `MUSTER_JOB_ID=${job.id}\0`).length === 0);
    await now.api.clusters.remove({ params: { cluster: job.clusterId } });
    return done(job.state, amiss);
  } catch (error) {
    return done("none", [String(error)]);
  }
}

const home = newHome();
let plane = await spawnPlane(home);
const outcomes: Outcome[] = [];
for (let index = 0; index < runs; index++) {
  const { plane: next, outcome } = await run(plane, index);
  plane = next;
  outcomes.push(outcome);
  for (const amiss of outcome.amiss)
    console.log(`run ${index} (${outcome.victim} after ${outcome.after} ms, exit ${outcome.exitCode}): ${amiss}`);
}
const agents = (): number[] => pidsWith("cmdline", `--home\0${home}/machines/`);
await until("the end of all agents", () => agents().length === 0).catch(() => undefined);
const left = agents();
await plane.kill();
clearHome(home);

const sum = (some: readonly Outcome[]) => {
  const states = Map.groupBy(some, outcome => outcome.state);
  const times = some.map(outcome => outcome.took).toSorted((a, b) => a - b);
  const told = [...states].map(([state, these]) => `${these.length} ${state}`).join(", ");
  return `${told}; median ${(((times[times.length >> 1] ?? 0) as number) / 1000).toFixed(1)} s, most ${((times.at(-1) ?? 0) / 1000).toFixed(1)} s`;
};
for (const [victim, some] of Map.groupBy(outcomes, outcome => outcome.victim))
  console.log(`${String(some.length).padStart(4)} × ${victim.padEnd(13)} ${sum(some)}`);
if (left.length > 0) console.log(`agents are left: ${left.join(" ")}`);
const failed = outcomes.filter(outcome => outcome.amiss.length > 0).length;
console.log(`seed ${seed}: ${runs - failed} passed, ${failed} failed`);
process.exit(failed + left.length === 0 ? 0 : 1);
