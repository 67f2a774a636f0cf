/**
 * What it costs: latencies, requests, memory, beside their budgets. Times on a shared machine are medians of several runs,
 * printed and not judged; what is judged are counts and ratios, elsewhere. Run on a quiet machine: `npm run bench`.
 */
import { spawn, spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { resolve } from "node:path";
import { Task } from "@muster/core/task/task.ts";
import {
  clearHome,
  ended,
  launch,
  newHome,
  type OwnProcess,
  openPlane,
  type Plane,
  spawnPlane,
} from "../support/plane.ts";
import { until } from "../support/until.ts";
import { coldStarts } from "./cold.ts";

interface Row {
  readonly what: string;
  readonly figure: string;
  readonly budget: string;
}

/** The environment without what would lead to a control plane of somebody's own. */
const { MUSTER_ENDPOINT: _, MUSTER_TOKEN: __, ...OWN } = process.env;

const rows: Row[] = [];
const note = (what: string, figure: string, budget = "") => {
  rows.push({ what, figure, budget });
  console.log(`${what.padEnd(52)} ${figure.padEnd(34)} ${budget}`);
};

const sorted = (values: readonly number[]) => values.toSorted((a, b) => a - b);
const at = (values: readonly number[], share: number) =>
  sorted(values)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
const spread = (values: readonly number[], unit = "ms") =>
  `median ${at(values, 0.5).toFixed(unit === "ms" ? 0 : 3)} ${unit}, p90 ${at(values, 0.9).toFixed(unit === "ms" ? 0 : 3)}`;

/** From the submit call to the first byte of the job's output in the client's hands, in ms. */
async function submitToFirstLine(plane: Plane): Promise<number> {
  const start = performance.now();
  const job = await plane.api.jobs.submit({
    params: { cluster: "bench" },
    body: { task: Task.parse({ run: "echo hello" }) },
  });
  await until(
    "the first line",
    async () => (await plane.api.jobs.logs({ params: { job: job.id }, query: { follow: "true" } })).chunks.length > 0,
  );
  const took = performance.now() - start;
  await ended(plane, job);
  return took;
}

/** From the command to the first line of the job on the screen, on a machine where nothing runs yet, in ms. */
async function coldLaunch(): Promise<number> {
  const home = newHome();
  const start = performance.now();
  const cli = spawn(
    process.execPath,
    [resolve("packages/cli/bin/muster.js"), "launch", "examples/hello.yaml", "--down"],
    {
      env: { ...OWN, MUSTER_HOME: home, XDG_CONFIG_HOME: home, CI: "true" },
      stdio: ["ignore", "pipe", "ignore"],
    },
  );
  const took = await new Promise<number>((done, fail) => {
    cli.stdout.on("data", data => String(data).includes("hello") && done(performance.now() - start));
    cli.on("exit", () => fail(new Error("the launch ended without its line")));
  });
  await until("the launch to end", () => cli.exitCode !== null);
  spawnSync(process.execPath, [resolve("packages/cli/bin/muster.js"), "local", "stop"], {
    env: { ...OWN, MUSTER_HOME: home, XDG_CONFIG_HOME: home },
  });
  clearHome(home);
  rmSync(home, { recursive: true, force: true });
  return took;
}

const agent = new Agent({ keepAlive: true, maxSockets: 8 });

function call(plane: Plane, method: string, path: string, body?: string): Promise<number> {
  return new Promise((done, fail) => {
    const headers = { authorization: `Bearer ${plane.token}`, "content-type": "application/json" };
    const sent = request(`${plane.url}${path}`, { method, agent, headers }, answer => {
      answer.resume();
      answer.on("end", () => done(answer.statusCode ?? 0));
    });
    sent.on("error", fail);
    sent.end(body);
  });
}

/** Requests a second with eight at a time, and the server's CPU per request in ms. */
async function throughput(plane: OwnProcess, method: string, path: string, count: number, body?: string) {
  const before = cpuOf(plane.pid);
  const start = performance.now();
  const left = { count };
  const worker = async () => {
    while (left.count-- > 0) {
      const status = await call(plane, method, path, body);
      if (status >= 300) throw new Error(`${method} ${path} answered ${status}`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  const seconds = (performance.now() - start) / 1000;
  return { perSecond: count / seconds, cpuMs: (cpuOf(plane.pid) - before) / count };
}

/** User and system time of a process, in ms: to the hundredth of a second where there is /proc, else to the second. */
function cpuOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return Number(spawnSync("ps", ["-o", "cputimes=", "-p", String(pid)], { encoding: "utf8" }).stdout) * 1000;
  }
}

const rssOf = (pid: number) =>
  Number(spawnSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" }).stdout) / 1024;

/** CPU of one request in process, in ms: the dispatcher alone, without HTTP. */
async function cpuInProcess(): Promise<void> {
  const plane = await openPlane();
  const job = await launch(plane, "bench", { run: "true" });
  await ended(plane, job);
  const { dispatch } = plane.plane;
  const headers = { authorization: `Bearer ${plane.token}`, "content-type": "application/json" };
  const measure = async (what: string, event: Parameters<typeof dispatch>[0], budget: string) => {
    const batches: number[] = [];
    for (let batch = 0; batch < 21; batch++) {
      const before = process.cpuUsage();
      for (let index = 0; index < 50; index++) await dispatch(event);
      const used = process.cpuUsage(before);
      batches.push((used.user + used.system) / 1000 / 50);
    }
    note(what, spread(batches.slice(1), "ms CPU"), budget);
  };
  const base = { headers, isBase64Encoded: false, rawQueryString: "" };
  const get = {
    ...base,
    routeKey: "GET /v1/jobs/{job}",
    rawPath: `/v1/jobs/${job.id}`,
    pathParameters: { job: job.id },
    requestContext: { http: { method: "GET" } },
  };
  await measure("GET /v1/jobs/{id}, in process", get, "≤ 0.3 ms");
  await plane.api.clusters.stop({ params: { cluster: "bench" } });
  await plane.close();
}

console.log("Muster's benchmarks\n");
await cpuInProcess();

const home = newHome();
const plane = await spawnPlane(home);
const first = await launch(plane, "bench", { run: "true" });
await ended(plane, first);
await submitToFirstLine(plane);
const warm: number[] = [];
for (let run = 0; run < 15; run++) warm.push(await submitToFirstLine(plane));
note("warm submit → first log line", spread(warm), "≤ 300 ms");

await throughput(plane, "GET", `/v1/jobs/${first.id}`, 500);
const gets = await throughput(plane, "GET", `/v1/jobs/${first.id}`, 4000);
note("GET /v1/jobs/{id}, over HTTP", `${gets.perSecond.toFixed(0)}/s, ${gets.cpuMs.toFixed(2)} ms CPU each`);
await launch(plane, "bench", { run: "sleep 600" });
const posts = await throughput(
  plane,
  "POST",
  "/v1/clusters/bench/jobs",
  1500,
  JSON.stringify({ task: { run: "true" } }),
);
note(
  "POST /v1/clusters/{id}/jobs, over HTTP",
  `${posts.perSecond.toFixed(0)}/s, ${posts.cpuMs.toFixed(2)} ms CPU each`,
);
await plane.kill();
clearHome(home);

const idleHome = newHome();
const idle = await spawnPlane(idleHome);
await ended(idle, await launch(idle, "bench", { run: "true" }));
await new Promise(resolve => setTimeout(resolve, 5000));
note("memory of the idle control plane", `${rssOf(idle.pid).toFixed(0)} MB`, "≤ 120 MB");
await idle.kill();
clearHome(idleHome);

const cold: number[] = [];
for (let run = 0; run < 5; run++) cold.push(await coldLaunch());
note("cold launch → first log line", spread(cold), "≤ 2,000 ms");

const starts = await coldStarts();
const empty = starts[0];
for (const { name, bytes, load, first } of starts.slice(1)) {
  const budget = name === "api" ? "≤ 400 kB, ≤ 90 ms" : "";
  const ratio = ((load + first) / ((empty?.load ?? 1) + (empty?.first ?? 0))).toFixed(0);
  note(
    `${name}: bundle, cold import + first call`,
    `${(bytes / 1000).toFixed(0)} kB, ${load.toFixed(0)} + ${first.toFixed(0)} ms, ${ratio} × an empty one`,
    budget,
  );
}
agent.destroy();
process.exit(0);
