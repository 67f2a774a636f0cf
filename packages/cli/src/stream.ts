/** A job's log on its way to the reader. */
import type { Client } from "@muster/api/client.ts";
import type * as Job from "@muster/core/job/job.ts";
import { type Chunk, follow, readChunk, type Source } from "./follow.ts";
import type { LogCopy } from "./log-copy.ts";
import { type Output, tame } from "./output.ts";
import { aside, betweenTries, both, type Ending, jsonSink, rawSink, textSink } from "./sinks.ts";
import { type Tailable, tail } from "./tail.ts";

export interface Means {
  readonly out: Output;
  readonly client: Client;
  readonly signal?: AbortSignal;
  /** Where else the log goes, as plain text. */
  readonly copy?: LogCopy | undefined;
}

/** Text for a reader, JSON lines, or the bytes as the job wrote them. */
export type Form = "text" | "json" | "raw";

/** What of the log is wanted, and how. */
export interface View {
  readonly form?: Form;
  /** Only the last so many lines of each node. */
  readonly tail?: number | undefined;
  /** Epoch ms: what came home then, or later. */
  readonly since?: number | undefined;
  readonly node?: number | undefined;
  readonly phases?: readonly string[] | undefined;
  readonly attempt?: number | undefined;
  /** Where it goes instead of to the reader. */
  readonly into?: Ending | undefined;
}

type Streamed = Pick<Job.Info, "id" | "nodes">;

/** Writes a job's log; with `following`, until the job has ended. */
export async function stream(means: Means, job: Streamed, following: boolean, view: View = {}): Promise<void> {
  const { out, signal } = means;
  const nodes = view.node === undefined ? job.nodes : 1;
  const copy = means.copy && copySink(means.copy, nodes);
  const sink = both(view.into ?? sinkOf(out, nodes, view), copy);
  const notice = (line: string): void => out.note(out.style("yellow", line));
  const source = sourceOf(means, job, following, view);
  await follow(
    view.tail === undefined ? source : tail(source, view.tail),
    { ...sink, notice },
    { follow: following, ...(signal && { signal }) },
  );
  await sink.end();
  await means.copy?.end();
}

function sourceOf({ client, signal }: Means, job: Streamed, following: boolean, view: View): Tailable {
  const { node, attempt, since, phases } = view;
  const filter = {
    follow: following ? "true" : "false",
    ...(node !== undefined && { node }),
    ...(attempt !== undefined && { attempt }),
    ...(phases !== undefined && { phase: phases.join(",") }),
  };
  const from = since === undefined ? {} : { since };
  const ask = (query: object): ReturnType<Source["page"]> =>
    client.jobs.logs({ params: { job: job.id }, query: { ...filter, ...query } }, signal && { signal });
  return {
    page: cursor => ask(cursor === undefined ? from : { cursor }),
    last: bytes => ask({ ...from, last: bytes }),
    read: (chunk: Chunk) => readChunk(chunk, signal),
  };
}

const copySink = (copy: LogCopy, nodes: number): Ending =>
  betweenTries(textSink({ ...copy, terminal: false }, nodes), line => copy.bytes(Buffer.from(`${line}\n`)));

function sinkOf(out: Output, nodes: number, { form = "text", phases }: View): Ending {
  if (form === "json") return jsonSink(print);
  // What led to a try is no part of what was asked for, unless it was.
  const isAsked = phases?.includes("provision") === true;
  const tell = isAsked ? async (line: { text: string }) => out.bytes(Buffer.from(tame(line.text))) : aside(out);
  const sink = form === "raw" ? rawSink(out) : textSink(out, nodes);
  return betweenTries({ ...sink, tell }, line => out.note(out.style("yellow", line)));
}

const print = (line: string): Promise<void> => new Promise(resolve => void process.stdout.write(line, () => resolve()));
