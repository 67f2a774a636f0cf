/**
 * A model of the agent: it enrolls, polls and reports through core's own verbs, and keeps on its machine's disk what the
 * real one keeps there.
 */

import { poll } from "@muster/core/agent/poll.ts";
import type { Assignment, Orders, Poll } from "@muster/core/agent/protocol.ts";
import { report } from "@muster/core/agent/report.ts";
import { MusterError } from "@muster/core/error.ts";
import { enroll } from "@muster/core/host/enroll.ts";
import { SECOND } from "../kernel.ts";
import type { Box } from "../ports/cloud.ts";
import type { Sim } from "../sim.ts";
import { learn, quietOf, told } from "./activity.ts";
import { drive, drop, nudge } from "./attempt.ts";
import { type Disk, type Held, nameOf } from "./disk.ts";
import { adoptHook, heedHook, hookedOf } from "./hook.ts";
import { type Agent, asHost, Dead, type Driven, requireLife } from "./life.ts";
import { ask } from "./network.ts";
import { workload } from "./workload.ts";

export function startAgent(sim: Sim, box: Box): Agent {
  const agent: Agent = {
    sim,
    box,
    dead: false,
    driven: new Map(),
    rung: false,
    watching: undefined,
    hooking: false,
    wake: () => {
      agent.rung = true;
    },
  };
  live(agent).catch(error => {
    if (error instanceof Dead) return;
    sim.violate("I0", `the agent of ${box.id} threw ${error instanceof Error ? error.stack : String(error)}`);
  });
  return agent;
}

async function live(agent: Agent): Promise<void> {
  if (!(await becomeKnown(agent))) return;
  adoptHook(agent);
  for (const held of agent.box.disk.attempts.values()) take(agent, held);
  for (;;) {
    const wait = await pollOnce(agent);
    requireLife(agent);
    if (wait === undefined) return disown(agent);
    await rest(agent, wait);
    requireLife(agent);
  }
}

/** @returns false when the control plane does not want this machine. */
async function becomeKnown(agent: Agent): Promise<boolean> {
  const { sim, box } = agent;
  // A disk that was copied brings another machine's identity.
  if (box.disk.machineId !== undefined && box.disk.machineId !== box.id) forget(box.disk);
  if (box.disk.hostToken !== undefined) return true;
  box.disk.nonce ??= sim.rng.hex(64);
  const request = { token: box.enrollmentToken, nonce: box.disk.nonce, facts: FACTS };
  for (;;) {
    try {
      const enrolled = await ask(sim, box, "enroll", world => enroll(world, request));
      requireLife(agent);
      box.disk.hostToken = enrolled.hostToken;
      box.disk.machineId = box.id;
      return true;
    } catch (error) {
      requireLife(agent);
      if (error instanceof MusterError && error.code === "unauthenticated") return false;
    }
    await sim.kernel.sleep(sim.rng.between(SECOND, 20 * SECOND), `${box.id} waits to enroll`);
    requireLife(agent);
  }
}

function forget(disk: Disk): void {
  disk.machineId = undefined;
  disk.hostToken = undefined;
  disk.nonce = undefined;
}

/** @returns when to poll again; undefined when this host is no longer wanted. */
async function pollOnce(agent: Agent): Promise<number | undefined> {
  const attempts = [...agent.driven.values()].map(driven => driven.held.ref);
  try {
    const { sim, box, watching } = agent;
    const sentAt = sim.now;
    const request = { pulse: { ...PULSE, ...quietOf(sim, box, watching) }, attempts, ...hookedOf(box) };
    const orders = await asHost(agent, "poll", (world, host) => poll(world, host, request));
    requireLife(agent);
    told(sim, box, watching, sentAt);
    agent.watching = learn(sim, box, watching, orders.watch);
    apply(agent, orders);
    return orders.pollAfter;
  } catch (error) {
    requireLife(agent);
    if (error instanceof MusterError && error.code === "unauthenticated") return undefined;
    return agent.sim.rng.between(SECOND, 20 * SECOND);
  }
}

function apply(agent: Agent, orders: Orders): void {
  for (const ref of orders.revoked) {
    const driven = agent.driven.get(nameOf(ref));
    if (driven) drop(agent, driven);
  }
  for (const order of orders.held) heed(agent, order);
  for (const assignment of orders.assignments) accept(agent, assignment);
  heedHook(agent, orders.hook);
}

function heed(agent: Agent, order: Orders["held"][number]): void {
  const driven = agent.driven.get(nameOf(order));
  if (driven === undefined) return;
  if (order.logs) driven.held.policy = order.logs;
  if (order.cancel) driven.held.stop ??= order.cancel === "timed_out" ? "timed_out" : "cancelled";
  nudge(driven);
}

/** What was seen before comes again, or late: it is not begun twice. */
function accept(agent: Agent, assignment: Assignment): void {
  const { sim, box } = agent;
  const { jobId, fence, rank, logs, timeout, gpus } = assignment;
  const seen = box.disk.fences.get(jobId) ?? -1;
  if (fence <= seen) {
    if (fence === seen) void disclaim(agent, assignment);
    return;
  }
  box.disk.fences.set(jobId, fence);
  const held: Held = {
    ref: { jobId, fence },
    rank,
    workspace: box.workspace,
    beganAt: sim.now,
    timeLimit: timeout === undefined ? Number.POSITIVE_INFINITY : sim.now + timeout * SECOND,
    task: workload(sim, assignment),
    gpus,
    policy: logs,
    step: "inputs",
    sent: 0,
    stop: undefined,
    end: undefined,
  };
  box.disk.attempts.set(nameOf(held.ref), held);
  take(agent, held);
}

/** Told to do what it has seen and does not hold: nobody else can tell that it is lost. */
async function disclaim(agent: Agent, { jobId, fence }: Assignment): Promise<void> {
  if (agent.driven.has(nameOf({ jobId, fence }))) return;
  const lost = { jobId, fence, state: "exited", cause: "host_lost", chunks: 0, logsComplete: false } as const;
  await asHost(agent, "disclaim", (world, host) => report(world, host, lost)).catch(() => undefined);
}

function take(agent: Agent, held: Held): void {
  const driven: Driven = { held, isDropped: false, waiters: new Set(), reports: Promise.resolve() };
  agent.driven.set(nameOf(held.ref), driven);
  drive(agent, driven).catch(error => {
    if (error instanceof Dead || driven.isDropped) return;
    agent.sim.violate("I0", `an attempt threw ${error instanceof Error ? error.stack : String(error)}`);
  });
}

/** Until it is time, or somebody rings. */
function rest(agent: Agent, ms: number): Promise<void> {
  if (agent.rung) {
    agent.rung = false;
    return Promise.resolve();
  }
  return new Promise(resolve => {
    const idle = agent.wake;
    const end = () => {
      agent.wake = idle;
      agent.rung = false;
      resolve();
    };
    agent.wake = end;
    agent.sim.kernel.at(ms, `${agent.box.id} polls`, end);
  });
}

/** Its token is of no more use: everything ends, and nothing is said. */
function disown(agent: Agent): void {
  agent.box.disk.hostToken = undefined;
  for (const driven of agent.driven.values()) drop(agent, driven);
  agent.dead = true;
}

const FACTS = {
  address: "10.0.0.1",
  cpus: 4,
  memory: 16e9,
  gpus: [],
  os: "linux",
  arch: "x64",
  agentVersion: "simulated",
};
const PULSE: Poll["pulse"] = { cpu: 0.1, memory: 0.1, gpus: [], sessions: 0 };
