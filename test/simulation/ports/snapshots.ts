/** Copies of disks, as clouds make them: slowly, each once however often it is asked for, and now and then in vain. */
import { MusterError } from "@muster/core/error.ts";
import type { MoveRef, Snapshot } from "@muster/core/ports/provider.ts";
import { copyOf, type Disk } from "../host/disk.ts";
import { SECOND } from "../kernel.ts";
import type { Sim } from "../sim.ts";
import type { Box } from "./cloud.ts";

interface Kept extends MoveRef {
  readonly provider: string;
  readonly hostId: string;
  readonly disk: Disk;
  state: Snapshot["state"];
}

export class Snapshots {
  readonly #sim: Sim;
  #kept: Kept[] = [];
  /** Asked before some are deleted. */
  onDelete: (of: MoveRef) => void = () => undefined;

  constructor(sim: Sim) {
    this.#sim = sim;
  }

  get all(): readonly Kept[] {
    return this.#kept;
  }

  take(provider: string, of: MoveRef, boxes: readonly Box[]): readonly Snapshot[] {
    if (boxes.some(box => box.state !== "stopped")) throw new MusterError("busy", "a machine does not stand still");
    for (const box of boxes) if (this.find(of, box.hostId) === undefined) this.#begin(provider, of, box);
    return this.#of(of).map(({ hostId, state }) => ({ hostId, state }));
  }

  #begin(provider: string, { workspace, clusterId, move }: MoveRef, box: Box): void {
    const { hostId } = box;
    const kept: Kept = { provider, workspace, clusterId, move, hostId, disk: copyOf(box.disk), state: "pending" };
    this.#kept.push(kept);
    this.#sim.kernel.at(this.#sim.rng.between(10, 150) * SECOND, `the copy of ${box.id} ends`, () => {
      kept.state = this.#sim.faults.happens("copyFails") ? "failed" : "complete";
    });
  }

  #of({ workspace, clusterId, move }: MoveRef): Kept[] {
    return this.#kept.filter(one => one.workspace === workspace && one.clusterId === clusterId && one.move === move);
  }

  find(of: MoveRef, hostId: string): Kept | undefined {
    return this.#of(of).find(one => one.hostId === hostId);
  }

  list(provider: string): readonly MoveRef[] {
    const mine = this.#kept.filter(one => one.provider === provider);
    return [...new Map(mine.map(one => [`${one.clusterId} ${one.move}`, one])).values()];
  }

  delete(of: MoveRef): void {
    this.onDelete(of);
    const gone = new Set(this.#of(of));
    this.#kept = this.#kept.filter(one => !gone.has(one));
  }
}
