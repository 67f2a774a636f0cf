/** What tests of jobs that wait share. */
import type * as Job from "@muster/core/job/job.ts";
import * as Read from "@muster/core/job/read.ts";
import { submit } from "@muster/core/job/submit.ts";
import { jobRequest, type readyCluster } from "../support/requests.ts";
import { ADA, type TestWorld } from "../support/world.ts";

type Host = Awaited<ReturnType<typeof readyCluster>>["hosts"][number];

export const first = (world: TestWorld, more = {}) => submit(world, ADA, "demo", jobRequest({}, more));
export const following = (world: TestWorld, job: { id: string }, more = {}, on: "success" | "end" = "success") =>
  submit(world, ADA, "demo", jobRequest({}, { after: [{ job: job.id, on }], ...more }));
export const get = (world: TestWorld, { id }: { id: string }): Promise<Job.Info> => Read.get(world, ADA, id);

/** The host runs what it is given. */
export async function runNext(host: Host | undefined, exitCode = 0): Promise<string> {
  const [assignment] = (await host?.poll())?.assignments ?? [];
  if (host === undefined || assignment === undefined) throw new Error("the host got nothing to do");
  await host.run(assignment, exitCode);
  return assignment.jobId;
}
