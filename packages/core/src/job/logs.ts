/** A job's log: numbered chunks per try and node, read straight from the blob store. */
import * as z from "zod";

export const Chunk = z.object({
  fence: z.number().int(),
  rank: z.number().int(),
  sequence: z.number().int(),
  /** `setup`, `run`, or `muster` for what the agent itself has to say. */
  phase: z.string(),
  size: z.number().int(),
  /** Reads the chunk's bytes, for some minutes, with no further credentials. */
  url: z.string(),
});

export const LogPage = z.object({
  chunks: z.array(Chunk),
  /** Where to go on. */
  cursor: z.string(),
  /** True: the job has ended and this page holds the last of its log. */
  done: z.boolean(),
});
export type LogPage = z.infer<typeof LogPage>;
