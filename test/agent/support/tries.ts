/** Tries of one job with a checkpoint, on machines of their own. */
import { existsSync } from "node:fs";
import { listOf, newest, rootOf } from "@muster/core/checkpoint/checkpoint.ts";
import { Bench } from "./bench.ts";
import type { Depot } from "./depot.ts";

export const ROOT = rootOf("w", "job_a", 0);

/** A machine whose control plane hands out what is in the store. */
export async function host(depot: Depot, lives?: () => number): Promise<Bench> {
  const bench = await Bench.open();
  bench.plane.onCheckpoint = async ask => [200, await depot.give(ask, lives?.())];
  return bench;
}

/** Runs a try to its end. */
export async function attempt(bench: Bench, depot: Depot, fence: number, run: string, path = "~/ckpt") {
  bench.plane.assign("job_a", { fence, run, checkpoint: await depot.checkpoint("job_a", fence, path) });
  if (existsSync(bench.home.sock)) await bench.kick();
  else await bench.agent();
  return bench.exit("job_a", fence);
}

export const last = async (depot: Depot) => (await newest(depot.blobs, ROOT, 1))[0];

export async function held(depot: Depot): Promise<Record<string, string>> {
  const generation = await last(depot);
  if (generation === undefined) return {};
  const { entries } = await depot.manifest(listOf(ROOT, generation), ROOT);
  const texts = entries.map(async entry => [entry.path, entry.link ?? (await depot.bytes(entry)).toString()] as const);
  return Object.fromEntries(await Promise.all(texts));
}
