/** What can be told of a job in one cell: for a table, and as a plain value for programs. */
import { soFar } from "@muster/core/cost/cost.ts";
import type * as Job from "@muster/core/job/job.ts";
import { nearest } from "@muster/core/near.ts";
import { InvalidArgumentError } from "commander";
import { age, duration, money } from "./format.ts";
import type { Output } from "./output.ts";
import { done, state } from "./shown.ts";

type Value = string | number | undefined;

interface Column {
  /** The value itself, by which rows are also put in order: times in epoch ms, durations in ms. */
  readonly of: (job: Job.Info) => Value;
  /** As people read it; absent: the value. */
  readonly shown?: (value: number, now: number) => string;
  /** As CSV has it; absent: the value. */
  readonly plain?: (value: number) => string;
}

const iso = (at: number): string => new Date(at).toISOString();
const seconds = (ms: number): string => String(ms / 1000);
const ago = { shown: (at: number, now: number) => age(now - at), plain: iso };
const span = { shown: (ms: number) => duration(ms), plain: seconds };

/** From submission to its first try; of one that waits still, until now. */
const waited = (job: Job.Info): number => (job.startedAt ?? job.endedAt ?? Date.now()) - job.createdAt;
const took = (job: Job.Info): Value =>
  job.startedAt === undefined ? undefined : (job.endedAt ?? Date.now()) - job.startedAt;
/** US dollars. */
const cost = (job: Job.Info): Value => (job.cost === undefined ? undefined : soFar(job.cost, Date.now()));
const labels = (job: Job.Info): string =>
  Object.entries(job.labels ?? {})
    .map(([key, value]) => (value === "" ? key : `${key}=${value}`))
    .join(" ");

const values = (job: Job.Info): Value =>
  Object.entries(job.values ?? {})
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");

const runs = (job: Job.Info): Value => (job.runs === undefined ? undefined : done(job));

export const COLUMNS = {
  job: { of: job => job.id },
  name: { of: job => job.name },
  state: { of: job => job.state },
  coarse: { of: job => job.coarse },
  exit: { of: job => job.exitCode },
  group: { of: job => job.jobGroup?.name },
  cluster: { of: job => job.clusterName },
  provider: { of: job => job.provider },
  hosts: { of: job => job.nodes },
  runs: { of: runs },
  priority: { of: job => job.priority },
  tries: { of: job => job.attempts },
  again: { of: job => job.retryAt, shown: (at, now) => (at > now ? `in ${age(at - now)}` : "soon"), plain: iso },
  owner: { of: job => job.owner },
  labels: { of: labels },
  values: { of: values },
  waited: { of: waited, ...span },
  took: { of: took, ...span },
  cost: { of: cost, shown: amount => money(amount) },
  submitted: { of: job => job.createdAt, ...ago },
  started: { of: job => job.startedAt, ...ago },
  ended: { of: job => job.endedAt, ...ago },
  failure: { of: job => job.failure?.message },
  endpoints: { of: job => job.endpoints?.map(({ name, url }) => `${name}=${url}`).join(" ") },
} as const satisfies Readonly<Record<string, Column>>;

export type Name = keyof typeof COLUMNS;
const NAMES = Object.keys(COLUMNS) as Name[];

export const DEFAULT: readonly Name[] = ["job", "name", "state", "exit", "cluster", "hosts", "took", "submitted"];

/** Of the runs of one array; their values follow. */
export const OF_RUNS: readonly Name[] = ["job", "state", "exit", "tries", "took"];

/** The value that a run has of this parameter. */
export const parameterOf = (job: Job.Info, name: string): string | undefined =>
  Object.hasOwn(job.values ?? {}, name) ? job.values?.[name] : undefined;

/** With the runs of arrays, where there are any. */
export const usual = (jobs: readonly Job.Info[]): readonly Name[] =>
  jobs.some(job => job.runs !== undefined)
    ? DEFAULT.flatMap(name => (name === "took" ? ["runs", name] : name))
    : DEFAULT;

const column = (name: Name): Column => COLUMNS[name];

/** Parses names that are set apart by commas. */
export const columns = (given: string): Name[] => given.split(",").map(text => nameOf(text.trim()));

function nameOf(text: string): Name {
  const found = NAMES.find(name => name === text.toLowerCase());
  if (found !== undefined) return found;
  const near = nearest(text.toLowerCase(), NAMES);
  throw new InvalidArgumentError(
    near === undefined ? `Columns are: ${NAMES.join(", ")}.` : `There is no column '${text}'. (Did you mean ${near}?)`,
  );
}

export interface Order {
  readonly name: Name;
  readonly falling: boolean;
}

/** Parses an order such as `state,-took`: a minus puts the largest first. */
export const orders = (given: string): Order[] =>
  given.split(",").map(part => ({ name: nameOf(part.trim().replace(/^-/, "")), falling: part.trim().startsWith("-") }));

/** The jobs in this order; what has no value comes last. */
export const sorted = (jobs: readonly Job.Info[], by: readonly Order[]): Job.Info[] =>
  jobs.toSorted((a, b) => by.reduce((found, order) => found || compare(column(order.name).of, order.falling, a, b), 0));

function compare(of: Column["of"], falling: boolean, a: Job.Info, b: Job.Info): number {
  const [one, other] = [of(a), of(b)];
  if (one === undefined || other === undefined) return Number(one === undefined) - Number(other === undefined);
  const rise = typeof one === "number" && typeof other === "number" ? one - other : byText(String(one), String(other));
  return falling ? -rise : rise;
}

const byText = (one: string, other: string): number => Number(one > other) - Number(one < other);

/** Cells for a table. */
export function cells(out: Output, job: Job.Info, names: readonly Name[], now: number): string[] {
  return names.map(name => {
    const { of, shown }: Column = column(name);
    const value = of(job);
    if (value === undefined || value === "") return "-";
    if (name === "state" || name === "coarse") return state(out, String(value));
    return typeof value === "number" && shown ? shown(value, now) : String(value);
  });
}

/**
 * Lines of CSV as RFC 4180 has them, the names first. Times are ISO 8601, durations seconds.
 * @param parameters of runs, whose values follow
 */
export function csv(jobs: readonly Job.Info[], names: readonly Name[], parameters: readonly string[] = []): string {
  const rows = jobs.map(job => [
    ...names.map(name => plain(column(name), job)),
    ...parameters.map(name => parameterOf(job, name) ?? ""),
  ]);
  return [[...names, ...parameters], ...rows].map(row => row.map(quoted).join(",")).join("\r\n");
}

function plain({ of, plain: form }: Column, job: Job.Info): string {
  const value = of(job);
  return typeof value === "number" && form ? form(value) : String(value ?? "");
}

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
