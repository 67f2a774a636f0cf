/** Events to write, for tests of the outbox. */
import { draft } from "@muster/core/event/event.ts";
import * as Keys from "@muster/core/keys.ts";
import type { Write } from "@muster/core/ports/table.ts";

export const WORKSPACE = "acme";

/** The event number `n`, as a job's end writes it. */
export const eventWrite = (n: number): Extract<Write, { put: unknown }> => {
  const id = `evt_01J0000000000000000000${String(n).padStart(4, "0")}`;
  const event = { id, at: 0, subject: `job_${n}`, kind: "job.succeeded" };
  return { put: draft(Keys.job(WORKSPACE, `job_${n}`), { id: "system" }, event), expect: "absent" };
};
