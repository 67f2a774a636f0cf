/** A provider of ours that copies disks: each copy stays as the test sets it. */
import type { MoveRef, Snapshot } from "@muster/core/ports/provider.ts";
import type { FakeProvider } from "./world.ts";

/** Lets the provider copy disks; each copy stays as the test sets it. */
export function movable(provider: FakeProvider) {
  const copies = new Map<string, MoveRef & Snapshot>();
  const of = (move: MoveRef) =>
    [...copies.values()].filter(copy => copy.clusterId === move.clusterId && copy.move === move.move);
  Object.assign(provider, {
    capabilities: { ...provider.capabilities, move: true },
    snapshot: async (move: MoveRef, ids: readonly string[]) => {
      for (const id of ids) {
        const hostId = provider.machines.get(id)?.hostId ?? "";
        const name = `${move.clusterId} ${move.move} ${hostId}`;
        copies.set(name, copies.get(name) ?? { ...move, hostId, state: "pending" });
      }
      return of(move);
    },
    snapshots: async () => [...copies.values()],
    deleteSnapshots: async (move: MoveRef) => {
      for (const [name, copy] of copies) if (of(move).includes(copy)) copies.delete(name);
    },
  });
  const end = (state: Snapshot["state"], move = 1) => {
    for (const [name, copy] of copies) if (copy.move === move) copies.set(name, { ...copy, state });
  };
  return { end, moves: () => [...copies.values()].map(copy => `${copy.move} ${copy.state}`) };
}
