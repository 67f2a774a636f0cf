/** The judge of reads, told answers that are made up: what it takes for older, and what it lets pass. */
import { MusterError } from "@muster/core/error.ts";
import { expect, test } from "vitest";
import type { Outcome } from "../process.ts";
import { Sim } from "../sim.ts";
import { type Known, Reads } from "./reads.ts";

const JOB = "job_01MCC6CZY1YDM45Q6FX4CSJB72";
const CLUSTER = "clu_01MCC6CZY1YDM45Q6FX4CSJB72";
const asked = { name: "look", actor: { workspace: "acme" } };
const job = (state: string, attempts = 1, more = {}) => ({ id: JOB, state, attempts, ...more });
const cluster = (state: string, generation = 1, more = {}) => ({ id: CLUSTER, state, generation, ...more });
const done = (value: unknown): Outcome<unknown> => ({ kind: "done", value });
const notFound: Outcome<unknown> = { kind: "threw", error: new MusterError("not_found", "there is none") };

/** What a read finds amiss that answers so, when this had been answered before it was sent. */
function judged(before: readonly unknown[], outcome: Outcome<unknown>, workspace = "acme", ends = false) {
  const sim = new Sim(1);
  const reads = new Reads(sim);
  for (const answer of before) reads.hear({ ...asked, ends }, answer);
  reads.judge({ ...asked, actor: { workspace }, looksAt: JOB }, reads.known(), outcome);
  return sim.violations.map(({ invariant }) => invariant);
}

test.each([
  ["fewer tries", job("running", 2), done(job("running", 1))],
  ["an end that is none", job("failed"), done(job("running"))],
  ["another end", job("failed"), done(job("cancelled"))],
  ["a cancel undone", job("cancelling"), done(job("running"))],
  ["fewer runs that have ended", job("running", 2, { runs: { failed: 2 } }), done(job("running", 2, { runs: {} }))],
  ["nothing there", job("queued"), notFound],
  ["nothing there of what was launched", { cluster: cluster("requested"), job: job("queued") }, notFound],
  ["fewer sets of machines", cluster("ready", 2), done(cluster("ready", 1))],
  ["a removal undone", cluster("draining"), done(cluster("ready"))],
  ["the job beside its reasons", job("failed"), done({ job: job("running"), reasons: [] })],
])("%s is older", (_, before, outcome) => {
  expect(judged([before], outcome)).toEqual(["I9"]);
});

test.each([
  ["the same", job("running"), done(job("running"))],
  ["a job that waits for its next try", job("running"), done(job("recovering"))],
  ["a cluster that is made anew", cluster("draining", 1, { renew: true }), done(cluster("requested", 2))],
  ["a call that came to nothing", job("running"), { kind: "died" } as const],
])("%s is not", (_, before, outcome) => {
  expect(judged([before], outcome)).toEqual([]);
});

test("another workspace's id is nothing that was answered", () => {
  expect(judged([job("running")], notFound, "bolt")).toEqual([]);
});

test("what somebody asked to end does not look as though nobody had, whatever the answer was", () => {
  expect(judged([job("running")], done(job("running")), "acme", true)).toEqual(["I9"]);
  expect(judged([job("running")], done(job("cancelling")), "acme", true)).toEqual([]);
});

test("an older answer that comes late does not take back what is known", () => {
  expect(judged([job("failed", 2), job("running", 1)], done(job("running", 2)))).toEqual(["I9"]);
});

test("a read is judged by what had been answered when it was sent", () => {
  const sim = new Sim(1);
  const reads = new Reads(sim);
  const known: Known = reads.known();
  reads.hear(asked, job("failed"));
  reads.judge({ ...asked, looksAt: JOB }, known, done(job("running")));
  expect(sim.violations).toEqual([]);
});
