/** One node's chunks of one try, as the blob store lists them: numbered, without a gap while none has outlived its time. */
import * as Attempt from "../attempt/attempt.ts";
import type { Blobs } from "../ports/blobs.ts";
import { orderOf } from "./phases.ts";

export interface Head {
  readonly sequence: number;
  readonly phase: string;
  /** Of its phase among the others. */
  readonly order: number;
  readonly size: number;
  /** Epoch ms at which it came home. */
  readonly at: number;
  readonly key: string;
}

export interface Node {
  readonly workspace: string;
  readonly jobId: string;
  readonly fence: number;
  readonly rank: number;
}

/** The chunks from this number on, at most so many (1 to 1000), in order. */
export type List = (from: number, limit: number) => Promise<readonly Head[]>;

/** The most that one list holds. */
export const MOST = 1000;

export function listOf(world: { readonly blobs: Pick<Blobs, "list"> }, node: Node): List {
  const prefix = Attempt.logPrefix(node.workspace, node.jobId, node.fence, node.rank);
  return async (from, limit) => {
    // `~` sorts after every phase, so this is the place right behind chunk `from - 1`.
    const after = from === 0 ? undefined : Attempt.chunkKey(prefix, from - 1, "~");
    const found = await world.blobs.list(prefix, { limit, ...(after !== undefined && { after }) });
    return found.map(({ key, size, writtenAt }) => {
      const [sequence = "0", phase = ""] = key.slice(prefix.length).split(".");
      return { sequence: Number(sequence), phase, order: orderOf(phase), size, at: writtenAt, key };
    });
  };
}

/** The number behind the last of these; `from` when there is none. */
export const endOf = (heads: readonly Head[], from: number): number => (heads.at(-1)?.sequence ?? from - 1) + 1;
