/** What the agent finds on its machine. */
import { arch, availableParallelism, networkInterfaces, platform, release, totalmem } from "node:os";
import type { Facts } from "../types.ts";
import { VERSION } from "../version.ts";

export function facts(gpus: readonly string[], address?: string, sshKey?: string): Facts {
  return {
    address: address ?? firstAddress(),
    cpus: availableParallelism(),
    memory: memory(),
    gpus: gpus.slice(0, 64).map(name => name.slice(0, 128)),
    os: `${platform()} ${release()}`.slice(0, 64),
    arch: arch(),
    agentVersion: VERSION,
    ...(sshKey !== undefined && { sshKey }),
  };
}

/** A container's share, where there is a limit. */
function memory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

function firstAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap(addresses => addresses ?? []);
  return all.find(one => one.family === "IPv4" && !one.internal)?.address ?? "127.0.0.1";
}
