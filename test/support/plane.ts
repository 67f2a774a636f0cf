/** Control planes for journeys: the real one, with real agents and real processes, in a home of its own. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Client, client } from "@muster/api/client.ts";
import type { Job } from "@muster/core/job/job.ts";
import { Task, type TaskInput } from "@muster/core/task/task.ts";
import { grant } from "@muster/core/token/create.ts";
import { type ControlPlane, type ControlPlaneOptions, openControlPlane } from "@muster/local/run/control-plane.ts";
import type { TableOptions } from "@muster/local/table/table.ts";
import { until } from "./until.ts";

/** The sources, or what a suite has bundled of them (bundled.ts). */
const BIN = process.env.MUSTER_TEST_BIN ?? resolve("packages/cli/bin/muster.js");
const AGENT = [process.execPath, BIN, "__agent"] as const;

/** A home for one control plane. Short, because agents' sockets lie below it. */
export const newHome = (): string => mkdtempSync(join(tmpdir(), "mj-"));

/** Ends whatever of this home still runs, and removes it. */
export function clearHome(home: string): void {
  const machines = join(home, "machines");
  for (const machine of existsSync(machines) ? readdirSync(machines) : []) {
    const disk = join(machines, machine);
    spawnSync("pkill", ["-KILL", "-f", `__agent run --home ${disk}`]);
    spawnSync(process.execPath, [BIN, "__agent", "kill", "--home", disk]);
  }
  rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

export interface Plane {
  readonly api: Client;
  readonly home: string;
  readonly url: string;
  readonly token: string;
}

export interface InProcess extends Plane {
  readonly plane: ControlPlane;
  readonly errors: string[];
  close(): Promise<void>;
}

/** A control plane in the test's own process, whose table can be told to misbehave. */
export async function openPlane(
  faults: Pick<TableOptions, "indexLag" | "refuse"> = {},
  more: Pick<ControlPlaneOptions, "outboundAllow"> = {},
): Promise<InProcess> {
  const home = newHome();
  const errors: string[] = [];
  const log = {
    info: () => undefined,
    error: (message: string, fields?: object) => void errors.push(`${message} ${JSON.stringify(fields)}`),
  };
  const plane = await openControlPlane({ home, agent: [...AGENT], log, faults, ...more });
  const token = await until("a token", () =>
    grant(plane.world, { workspace: "local", actor: "usr_ada", role: "admin" }),
  ).then(created => created.token);
  const api = client({ endpoint: plane.url, token, version: "test" });
  return {
    api,
    home,
    url: plane.url,
    token,
    plane,
    errors,
    close: async () => {
      await plane.close();
      clearHome(home);
    },
  };
}

export interface OwnProcess extends Plane {
  readonly pid: number;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/** A control plane as a process of its own, as the CLI starts it; it can be killed, and started again in the same home. */
export async function spawnPlane(home: string): Promise<OwnProcess> {
  rmSync(join(home, "server.json"), { force: true });
  const child = spawn(process.execPath, [BIN, "__serve", "--home", home], { stdio: "ignore" });
  const where = await until("server.json", () => readJson(join(home, "server.json")));
  const url = String(where.url);
  const token = readFileSync(join(home, "token"), "utf8");
  return {
    api: client({ endpoint: url, token, version: "test" }),
    home,
    url,
    token,
    pid: Number(where.pid),
    kill: () => killed(child),
  };
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

function readJson(path: string): Record<string, unknown> | undefined {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}

/** Launches a task on a cluster of this name. */
export async function launch(plane: Plane, cluster: string, task: TaskInput, more: { down?: boolean } = {}) {
  const { job } = await plane.api.launches.create({ body: { task: Task.parse(task), cluster, ...more } });
  if (job === undefined) throw new Error("the launch made no job");
  return job;
}

/** The job once it is in one of these states. */
export const inState = (plane: Plane, job: { id: string }, ...states: Job["state"][]) =>
  until(`job ${job.id} to be ${states.join(" or ")}`, async () => {
    const now = await plane.api.jobs.get({ params: { job: job.id } });
    return states.includes(now.state) ? now : undefined;
  });

export const ended = (plane: Plane, job: { id: string }) =>
  inState(plane, job, "succeeded", "failed", "cancelled", "timed_out");

/** All of a job's log, read chunk by chunk as a client does; of one rank and phase, or of all. */
export async function logOf(
  plane: Plane,
  job: { id: string },
  only: { rank?: number; phase?: string } = {},
): Promise<string> {
  const texts: string[] = [];
  let cursor: string | undefined;
  for (;;) {
    const page = await plane.api.jobs.logs({ params: { job: job.id }, query: cursor === undefined ? {} : { cursor } });
    const wanted = page.chunks.filter(
      chunk => (only.rank ?? chunk.rank) === chunk.rank && (only.phase ?? chunk.phase) === chunk.phase,
    );
    for (const chunk of wanted) texts.push(await (await fetch(chunk.url)).text());
    if (page.done || page.chunks.length === 0) return texts.join("");
    cursor = page.cursor;
  }
}

/** The folder of the cluster's only machine. */
export function machineOf(plane: Plane): string {
  const [name] = readdirSync(join(plane.home, "machines"));
  return join(plane.home, "machines", name ?? "");
}

/** SIGKILL for the agent of a machine; its jobs live on. */
export function killAgent(machine: string): void {
  const killed = spawnSync("pkill", ["-KILL", "-f", `__agent run --home ${machine}`]);
  if (killed.status !== 0)
    throw new Error(
      `there was no agent to kill: ${readFileSync(join(machine, "agent", "output.log"), "utf8")} ${readFileSync(join(machine, "agent", "agent.log"), "utf8").slice(-1500)}`,
    );
}
