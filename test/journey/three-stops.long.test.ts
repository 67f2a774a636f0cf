/**
 * The three stops of a machine that nobody needs, each with the other two off:
 *
 *                                   cron   agent   the machine's timer
 *   the cron                        on     off     off    a real control plane, a real agent that cannot power off
 *   the agent                       dead   on      off    a real control plane that is killed, a real agent
 *   the machine's timer             dead   dead    on     the real boot script, and an agent that is killed, or never began
 *
 * What holds them, and what does not, is tested where each of them is: test/core (idle, maxLifetime), test/agent/power,
 * test/user-data/machine. The machines are folders and processes here; what powers them off writes that down.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { uptime } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { client } from "@muster/api/client.ts";
import type { Idle } from "@muster/core/cluster/idle.ts";
import { describe, expect, test } from "vitest";
import { at } from "../../packages/agent/src/home.ts";
import { ask } from "../../packages/agent/src/sock.ts";
import { Bench, murder } from "../agent/support/bench.ts";
import { clearHome, ended, inState, launch, machineOf, newHome, openPlane, type Plane } from "../support/plane.ts";
import { until } from "../support/until.ts";
import { Machine } from "../user-data/support/machine.ts";

const BIN = resolve("packages/cli/bin/muster.js");

/** In minutes: three seconds. */
const SOON = { after: 0.05, action: "stop" } as const;

const stateOf = async (plane: Plane, cluster: string): Promise<string> =>
  (await plane.api.clusters.get({ params: { cluster } })).state;

/** The agent's pid; undefined when none lives there. */
async function agentOf(machine: string): Promise<number | undefined> {
  const said = await ask(at(machine), "status");
  return said === undefined ? undefined : Number(JSON.parse(said).pid);
}

interface Used {
  readonly id: string;
  /** Its machine's folder. */
  readonly machine: string;
  /** Of its agent. */
  readonly pid: number;
}

/** A cluster whose only job has just ended. */
async function used(plane: Plane, idle: Idle): Promise<Used> {
  const { id } = await plane.api.clusters.create({ body: { name: "demo", idle } });
  const job = await launch(plane, "demo", { run: "until [ -e ~/go ]; do sleep 0.05; done" });
  await inState(plane, job, "running");
  const machine = machineOf(plane);
  const pid = await until("its agent", () => agentOf(machine));
  writeFileSync(join(at(machine).jobs, "go"), "");
  await ended(plane, job);
  return { id, machine, pid };
}

describe("the cron", () => {
  test("stops an idle cluster, though its agent cannot and its machine has no timer", async () => {
    const plane = await openPlane();
    try {
      const { id, machine, pid } = await used(plane, SOON);
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      expect(command).toContain("--endpoint");
      expect(command).not.toContain("--power-off");
      expect(command).not.toContain("--deadline-file");
      await until("the stop", async () => (await stateOf(plane, id)) === "stopped");
      expect(await agentOf(machine)).toBeUndefined();
      const { items } = await plane.api.clusters.events({ params: { cluster: id } });
      expect(items.find(event => event.kind === "cluster.stopping")?.message).toContain("idle policy");
    } finally {
      await plane.close();
    }
  });

  test("ends a cluster whose agent is dead as well", async () => {
    const plane = await openPlane();
    try {
      const { id, machine, pid } = await used(plane, { ...SOON, action: "terminate" });
      process.kill(pid, "SIGKILL");
      await until("the end", async () => (await stateOf(plane, id)) === "terminated");
      expect(existsSync(machine)).toBe(false);
    } finally {
      await plane.close();
    }
  });
});

/** A machine on which a quarter of an hour takes some three seconds, for whoever measures time by anything but the date. */
const FAST = `
const now = performance.now.bind(performance);
performance.now = () => now() * 300;
const later = globalThis.setTimeout;
globalThis.setTimeout = (call, ms, ...rest) => later(call, ms > 1000 ? ms / 300 : ms, ...rest);
`;

interface Killable extends Plane {
  readonly process: ChildProcess;
  /** Where the machine's power-off is written down. */
  readonly off: string;
}

/** A control plane whose machines' agents can power them off. */
async function killable(): Promise<Killable> {
  const home = newHome();
  const off = join(home, "off");
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "fast.mjs"), FAST);
  const more = `[ "$1" != run ] || set -- "$@" --power-off "date >>'${off}'"`;
  writeFileSync(
    join(home, "agent.sh"),
    `#!/bin/bash\n${more}\nexec '${process.execPath}' --import '${home}/fast.mjs' '${BIN}' __agent "$@"\n`,
  );
  chmodSync(join(home, "agent.sh"), 0o755);
  const program = resolve("test/support/plane-child.ts");
  const child = spawn(process.execPath, [program, home, join(home, "agent.sh")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const { url, token } = JSON.parse(String(line));
  return { process: child, off, home, url, token, api: client({ endpoint: url, token, version: "test" }) };
}

describe("the agent", () => {
  test("powers its machine off when the control plane is dead for longer than the policy allows", async () => {
    const plane = await killable();
    try {
      const { machine, pid } = await used(plane, { after: 1, action: "stop" });
      await murder(plane.process);
      expect(existsSync(plane.off)).toBe(false);
      await until("the end", () => existsSync(plane.off), 30_000);
      expect(await agentOf(machine)).toBe(pid);
    } finally {
      await murderIfAlive(plane.process);
      clearHome(plane.home);
    }
  });
});

async function murderIfAlive(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await murder(child);
}

const POWER_OFF = "systemctl poweroff";

/** What the machine's timer does once a minute, so many seconds after its start. */
async function tick(machine: Machine, seconds: number): Promise<readonly string[]> {
  const { sandbox } = machine;
  sandbox.uptime(seconds);
  const before = sandbox.calls.length;
  await sandbox.run(join(sandbox.root, "opt/muster/stop-check"));
  return sandbox.calls.slice(before);
}

describe("the machine's timer", () => {
  test("powers it off when no agent ever began, and nobody can be reached", async () => {
    await using machine = await Machine.open();
    await machine.begin({ endpoint: "http://127.0.0.1:9", bootGraceSeconds: 1_800 });
    expect(machine.sandbox.calls).toContain("systemctl enable --now muster-stop.timer");
    expect(machine.sandbox.has("run/muster/deadline")).toBe(false);
    expect(await tick(machine, 1_800)).toEqual([]);
    expect(await tick(machine, 1_801)).toEqual([POWER_OFF]);
  });

  test("powers it off when its agent was killed, and no control plane is there", async () => {
    await using machine = await Machine.open();
    await machine.begin();
    const deadline = join(machine.sandbox.root, "run/muster/deadline");
    await using bench = await Bench.open();
    bench.plane.powerOff = { afterSilence: 1_000 };
    const agent = bench.start(["run", "--deadline-file", deadline]);
    const until1 = await until("the deadline", () => existsSync(deadline) && Number(readFileSync(deadline, "utf8")));
    await murder(agent);
    await bench.plane.close();
    expect(Math.abs(until1 - (uptime() + 1_000 + 300))).toBeLessThan(10);
    expect(await tick(machine, until1)).toEqual([]);
    expect(await tick(machine, until1 + 1)).toEqual([POWER_OFF]);
  });
});
