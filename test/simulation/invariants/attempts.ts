/** What must hold of tries: what is recorded of them is what became of their scripts. */
import type { Attempt } from "@muster/core/attempt/attempt.ts";
import { SUSPECT_AFTER } from "@muster/core/host/patience.ts";
import * as Keys from "@muster/core/keys.ts";
import { isAlive } from "../host/disk.ts";
import { MINUTE } from "../kernel.ts";
import type { Box } from "../ports/cloud.ts";
import type { Written } from "../ports/table.ts";
import type { Sim } from "../sim.ts";

/** What a host may be behind with its word, and still be called heard, in ms. */
const HEARD = SUSPECT_AFTER - MINUTE;
/** How long ago whoever gives a host up may have found it silent, in ms: it was waited for, and the call may be late. */
const JUDGED = 30 * MINUTE;

interface Word {
  readonly last: number;
  /** The end of its last silence. */
  readonly back: number | undefined;
}

export function watchAttempts(sim: Sim): void {
  const words = new Map<string, Word>();
  sim.db.observers.push((_, written) => {
    for (const one of written) {
      if (one.after?.type === "pulse") hear(sim, words, one);
      if (one.after?.type === "attempt" && one.before?.data.state !== one.after.data.state)
        check(sim, words, one.after.data as unknown as Attempt);
    }
  });
}

function hear(sim: Sim, words: Map<string, Word>, { key }: Written): void {
  const name = `${key.pk} ${key.sk}`;
  const before = words.get(name);
  const wasSilent = before !== undefined && sim.now - before.last >= HEARD;
  words.set(name, { last: sim.now, back: wasSilent ? sim.now : before?.back });
}

function check(sim: Sim, words: ReadonlyMap<string, Word>, attempt: Attempt): void {
  if (attempt.state === "exited") checkOver(sim, attempt);
  if (attempt.state === "lost" && attempt.cause === "host_lost") checkLost(sim, words, attempt);
}

const nameOf = ({ jobId, fence }: Attempt): string => `${jobId}/${fence}`;
const boxesOf = (sim: Sim, { hostId }: Attempt): readonly Box[] =>
  sim.cloud.boxes.filter(box => box.hostId === hostId && box.state === "running");

/** I4: a try that is called over is. */
function checkOver(sim: Sim, attempt: Attempt): void {
  for (const box of boxesOf(sim, attempt)) {
    const script = box.scripts.get(nameOf(attempt));
    if (script !== undefined && isAlive(script, sim.now))
      sim.violate("I4", `${nameOf(attempt)} is ${attempt.state}, and runs on ${box.id}`);
  }
}

/** I12: nobody is called lost who has called all the time, and whose machine is there. */
function checkLost(sim: Sim, words: ReadonlyMap<string, Word>, attempt: Attempt): void {
  const box = boxesOf(sim, attempt).find(one => one.disk.attempts.has(nameOf(attempt)));
  if (box === undefined) return;
  const { workspace, clusterId } = attempt;
  const { pk, sk } = Keys.pulse(workspace, clusterId, Number(attempt.hostId.split("_").at(-1)));
  const word = words.get(`${pk} ${sk}`);
  if (word === undefined || sim.now - word.last >= HEARD) return;
  if (word.back === undefined || sim.now - word.back > JUDGED)
    sim.violate("I12", `${nameOf(attempt)} is lost; ${box.id} has it, and called ${sim.now - word.last} ms ago`);
}
