/** The doorbell of one process: rings are answered after the commit. What failed three times is a dead letter. */
import { buryRing } from "@muster/core/deadletter/ring.ts";
import { answer, type Ring, ringFor, subjectOf, workspaceOf } from "@muster/core/doorbell.ts";
import type { Change } from "@muster/core/ports/table.ts";
import type { World } from "@muster/core/ports/world.ts";
import { Line } from "./line.ts";

/** How many rings are answered at a time. */
const AT_ONCE = 64;

export class Doorbell {
  readonly #world: () => World;
  readonly #line: Line<Ring>;

  /** `world` is asked for late: the table that rings is part of it. */
  constructor(world: () => World) {
    this.#world = world;
    this.#line = new Line<Ring>({
      subjectOf,
      ownerOf: workspaceOf,
      act: ring => answer(world(), ring),
      onFailure: (...failure) => this.#failed(...failure),
      atOnce: AT_ONCE,
    });
  }

  ring(changes: readonly Change[]): void {
    for (const change of changes) {
      const ring = ringFor(change);
      if (ring) this.#line.add(ring);
    }
  }

  async #failed(ring: Ring, times: number, isLast: boolean, error: unknown): Promise<void> {
    const message = isLast ? "a ring is put aside: its deadline will find it" : "a ring failed";
    this.#world().log.error(message, { ring: subjectOf(ring), reason: String(error) });
    if (isLast) await this.#bury(ring, times, error);
  }

  async #bury(ring: Ring, times: number, error: unknown): Promise<void> {
    const world = this.#world();
    try {
      await buryRing(world, ring, times, error);
    } catch (failure) {
      world.log.error("a dead letter could not be recorded", { ring: subjectOf(ring), reason: String(failure) });
    }
  }

  /** Answers nothing more; resolves when what was under way has ended. */
  close(): Promise<void> {
    return this.#line.close();
  }
}
