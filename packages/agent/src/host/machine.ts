/** What only the cloud knows of a machine. */
import { readdirSync } from "node:fs";
import { readText } from "../disk.ts";
import type { Facts } from "../types.ts";
import type { Metadata } from "./metadata.ts";

type MachineFacts = Pick<Facts, "machineId" | "zone" | "instanceType" | "market">;

/** Rejects when the metadata service does not answer. */
export async function machineFacts(metadata: Metadata): Promise<MachineFacts> {
  const market = await metadata.find("instance-life-cycle");
  return {
    machineId: await metadata.get("instance-id"),
    zone: await metadata.get("placement/availability-zone"),
    instanceType: await metadata.get("instance-type"),
    ...(market === undefined ? {} : { market }),
  };
}

/** The kernel keeps fifteen letters of a program's name. */
const SESSION_AGENT = "amazon-ssm-agent".slice(0, 15);

/** Whether the agent of AWS's session service runs. */
export function hasSessionAgent(): boolean {
  if (process.platform !== "linux") return false;
  return readdirSync("/proc")
    .filter(name => /^\d+$/.test(name))
    .some(pid => nameOf(pid) === SESSION_AGENT);
}

function nameOf(pid: string): string | undefined {
  try {
    return readText(`/proc/${pid}/comm`)?.trim();
  } catch {
    // It ended while it was read.
    return undefined;
  }
}
