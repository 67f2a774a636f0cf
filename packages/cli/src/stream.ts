/** A job's log on its way to the reader: a terminal, a file, or JSON lines. */
import type { Client } from "@muster/api/client.ts";
import type * as Job from "@muster/core/job/job.ts";
import { type Chunk, follow, readChunk, type Sink } from "./follow.ts";
import type { LogCopy } from "./log-copy.ts";
import type { Output } from "./output.ts";
import { ranks } from "./ranks.ts";
import { stripper } from "./strip.ts";

export interface Means {
  readonly out: Output;
  readonly client: Client;
  readonly signal?: AbortSignal;
  /** Where else the log goes, as plain text. */
  readonly copy?: LogCopy | undefined;
}

/** Text for a reader, JSON lines, or the bytes as the job wrote them. */
export type Form = "text" | "json" | "raw";

type Streamed = Pick<Job.Info, "id" | "nodes">;

/** Writes a job's log; with `following`, until the job has ended. */
export async function stream(means: Means, job: Streamed, following: boolean, form: Form = "text"): Promise<void> {
  const { out, client, signal } = means;
  const call = signal && { signal };
  const sink = both(
    sinkOf(form, out, job.nodes),
    means.copy && textSink({ ...means.copy, terminal: false }, job.nodes),
  );
  const notice = (line: string): void => out.note(out.style("yellow", line));
  await follow(
    {
      page: cursor =>
        client.jobs.logs(
          {
            params: { job: job.id },
            query: { follow: following ? "true" : "false", ...(cursor !== undefined && { cursor }) },
          },
          call,
        ),
      read: chunk => readChunk(chunk, signal),
    },
    { write: sink.write, notice },
    { follow: following, ...(signal && { signal }) },
  );
  await sink.end();
  await means.copy?.end();
}

function both(first: Ending, second: Ending | undefined): Ending {
  if (second === undefined) return first;
  return {
    write: async (chunk, bytes) => {
      await first.write(chunk, bytes);
      await second.write(chunk, bytes);
    },
    end: async () => {
      await first.end();
      await second.end();
    },
  };
}

interface Ending extends Pick<Sink, "write"> {
  end(): Promise<void>;
}

function sinkOf(form: Form, out: Output, nodes: number): Ending {
  if (form === "json") return jsonSink();
  return tries(out, form === "raw" ? rawSink(out) : textSink(out, nodes));
}

const rawSink = (out: Output): Ending => ({ write: (_, bytes) => out.bytes(bytes), end: async () => {} });

/** The log as text: ranks in front of lines where there are several, and control sequences for terminals only. */
function textSink(out: Pick<Output, "bytes" | "terminal">, nodes: number): Ending {
  const lines = ranks(nodes);
  const plain = perRank(stripper);
  return {
    write: (chunk, bytes) => out.bytes(lines.take(chunk, out.terminal ? bytes : plain(chunk)(bytes))),
    end: () => out.bytes(lines.rest()),
  };
}

/** Says where the log of another try begins: its lines may repeat those before. */
function tries(out: Output, sink: Ending): Ending {
  const seen = { fence: Number.POSITIVE_INFINITY };
  return {
    ...sink,
    write: (chunk, bytes) => {
      if (chunk.fence > seen.fence) out.note(out.style("yellow", "the job is tried again from its beginning"));
      seen.fence = chunk.fence;
      return sink.write(chunk, bytes);
    },
  };
}

/** One chunk, one line of JSON. */
function jsonSink(): Ending {
  // A character may be cut in two by the end of a chunk.
  const decoders = perRank(() => new TextDecoder());
  return {
    write: (chunk, bytes) => {
      const { fence, rank, sequence, phase } = chunk;
      const text = decoders(chunk).decode(bytes, { stream: true });
      const line = `${JSON.stringify({ fence, rank, sequence, phase, text })}\n`;
      return new Promise(resolve => process.stdout.write(line, () => resolve()));
    },
    end: async () => {},
  };
}

/** One of something for each rank. */
function perRank<T>(make: () => T): (chunk: Pick<Chunk, "rank">) => T {
  const made = new Map<number, T>();
  return ({ rank }) => {
    const one = made.get(rank) ?? make();
    made.set(rank, one);
    return one;
  };
}
