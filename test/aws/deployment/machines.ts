/**
 * The machines that moto only pretends to run: for each that is running, an agent of ours, real and in a process of its
 * own, that finds its identity at a metadata service; when the machine stops or ends, so does all that runs on it.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { DescribeInstancesCommand, type EC2Client, type Instance } from "@aws-sdk/client-ec2";
import { FakeMetadata } from "../../agent/support/metadata.ts";
import { sessionAgent } from "../../agent/support/session-agent.ts";
import type { Gateway } from "./gateway.ts";
import { pause } from "./pause.ts";

const AGENT = new URL("../../../packages/agent/src/main.ts", import.meta.url).pathname;
const run = promisify(execFile);

interface Machine {
  readonly id: string;
  readonly home: string;
  readonly metadata: FakeMetadata;
  agent: ChildProcess | undefined;
}

export interface Machines {
  /** When false, machines that start from now on stay dark: they boot and call nobody. */
  boots: boolean;
  /** Of what runs now. */
  readonly ids: readonly string[];
  /** What SSM's document does on a machine. */
  kick(machineId: string): Promise<void>;
  close(): Promise<void>;
}

export interface Site {
  readonly ec2: EC2Client;
  readonly gateway: Gateway;
  readonly region: string;
  readonly account: string;
  readonly hostRole: string;
}

export function watchMachines(site: Site): Machines {
  const machines = new Map<string, Machine>();
  const state = { closed: false };
  // All of them are this machine: one session agent runs on each.
  const sessions = sessionAgent();
  const shown: Machines = {
    boots: true,
    get ids() {
      return [...machines.values()].filter(one => one.agent).map(one => one.id);
    },
    kick: async machineId => {
      const home = machines.get(machineId)?.home;
      if (home !== undefined) await run(process.execPath, [AGENT, "kick", "--home", home]);
    },
    close: async () => {
      state.closed = true;
      await loop;
      for (const machine of machines.values()) await end(machine);
      await sessions[Symbol.asyncDispose]();
    },
  };

  async function look(): Promise<void> {
    const { Reservations = [] } = await site.ec2.send(new DescribeInstancesCommand({}));
    for (const instance of Reservations.flatMap(one => one.Instances ?? [])) await follow(instance);
  }

  async function follow(instance: Instance): Promise<void> {
    const id = instance.InstanceId ?? "";
    const power = instance.State?.Name;
    const known = machines.get(id);
    if (power === "running" && shown.boots) {
      const machine = known ?? (await make(site, instance));
      machines.set(id, machine);
      machine.agent ??= boot(site, machine);
    } else if (known?.agent && power !== "running") await halt(known);
    if (power === "terminated" && known) {
      machines.delete(id);
      await end(known);
    }
  }

  const loop = (async () => {
    for (; !state.closed; await pause(250)) await look();
  })();
  return shown;
}

async function make(site: Site, instance: Instance): Promise<Machine> {
  const id = instance.InstanceId ?? "";
  const metadata = await FakeMetadata.open();
  const credentials = {
    accessKeyId: `ASIA${id.slice(2).toUpperCase()}`,
    secretAccessKey: id,
    sessionToken: `of ${id}`,
  };
  metadata.values.set("instance-id", id);
  metadata.values.set("instance-type", instance.InstanceType ?? "");
  metadata.values.set("placement/region", site.region);
  metadata.values.set("placement/availability-zone", instance.Placement?.AvailabilityZone ?? "");
  metadata.grant(credentials);
  const arn = `arn:aws:sts::${site.account}:assumed-role/${site.hostRole}/${id}`;
  site.gateway.principals.set(credentials.accessKeyId, { arn, credentials });
  return { id, home: mkdtempSync(join(tmpdir(), "muster-ec2-")), metadata, agent: undefined };
}

function boot(site: Site, machine: Machine): ChildProcess {
  const args = ["run", "--home", machine.home, "--endpoint", site.gateway.url, "--register", "ec2"];
  return spawn(process.execPath, [AGENT, ...args, "--metadata", machine.metadata.url], { stdio: "ignore" });
}

async function halt(machine: Machine): Promise<void> {
  const { agent } = machine;
  machine.agent = undefined;
  await run(process.execPath, [AGENT, "kill", "--home", machine.home]);
  if (agent && agent.exitCode === null && agent.signalCode === null) {
    const ended = once(agent, "exit");
    agent.kill("SIGKILL");
    await ended;
  }
}

async function end(machine: Machine): Promise<void> {
  await halt(machine);
  await machine.metadata[Symbol.asyncDispose]();
  rmSync(machine.home, { recursive: true, force: true });
}
