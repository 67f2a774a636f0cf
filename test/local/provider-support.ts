/** A local provider in a folder of its own, with agents that are real processes. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Intent } from "@muster/core/ports/provider.ts";
import { localProvider } from "@muster/local/provider/provider.ts";
import { ask } from "@muster/local/provider/socket.ts";
import { expect, onTestFinished } from "vitest";

export const REF = { workspace: "local", clusterId: "clu_1" };

export const intentFor = (clusterId: string, hosts = 1): Intent => ({
  workspace: "local",
  clusterId,
  generation: 1,
  try: 1,
  group: "main",
  offer: {
    provider: "local",
    instanceType: "local",
    market: "none",
    cpus: 1,
    memory: 1,
    accelerators: {},
    hourly: 0,
  },
  label: { cluster: "c", owner: "usr_ada" },
  resources: {},
  onPowerOff: "stop",
  hosts: Array.from({ length: hosts }, (_, rank) => ({ hostId: `${clusterId}-${rank}`, rank, enrollmentToken: "t" })),
});

export function open() {
  const folder = mkdtempSync(join(tmpdir(), "mp-"));
  const logged: string[] = [];
  const keep = (message: string, fields: object = {}) => void logged.push(`${message} ${JSON.stringify(fields)}`);
  const provider = localProvider({
    folder,
    agent: [process.execPath, fileURLToPath(new URL("./provider-agent.ts", import.meta.url))],
    endpoint: () => "http://127.0.0.1:1",
    clock: { now: () => 1 },
    log: { info: () => {}, error: keep },
  });
  const disk = (machineId: string) => join(folder, machineId);
  const lives = async (machineId: string) =>
    (await ask(join(disk(machineId), "agent", "sock"), "status")) !== undefined;
  onTestFinished(async () => {
    for (const { machineId } of await provider.sweep()) {
      rmSync(join(disk(machineId), "kill-fails"), { force: true });
      await provider.terminate([machineId]);
    }
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    provider,
    folder,
    logged,
    lives,
    /** Makes the machine's agent behave in a way of its own. */
    mark: (machineId: string, how: string, text = "") => writeFileSync(join(disk(machineId), how), text),
    unmark: (machineId: string, how: string) => rmSync(join(disk(machineId), how), { force: true }),
    /** Ids of all processes that were ever started as the machine's agent. */
    runs: (machineId: string): number[] => {
      const path = join(disk(machineId), "runs");
      return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n").map(Number) : [];
    },
    /** The machines of a cluster, once their agents answer. */
    launch: async (clusterId = REF.clusterId, hosts = 1): Promise<string[]> => {
      const ids = (await provider.launch(intentFor(clusterId, hosts))).map(machine => machine.machineId);
      for (const id of ids) await expect.poll(() => lives(id)).toBe(true);
      return ids;
    },
  };
}

/** Whether the process is there. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false; // No such process: that is the answer.
  }
}
