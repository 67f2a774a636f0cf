/** Doing what an entry asks for. */
import { exportDay } from "../audit/export.ts";
import { goOn } from "../deadletter/replay.ts";
import { process as processHook } from "../hook/process.ts";
import { lookForMissed } from "../hook/watch.ts";
import type { Outside } from "../ports/world.ts";
import { send as sendReport } from "../report/send.ts";
import { send } from "../webhook/send.ts";
import { Entry, type Ref } from "./outbox.ts";
import { relay } from "./relay.ts";

/** Does what the record says, if it still does: each looks at the record itself, and takes it before it does anything. */
export async function deliver(world: Outside, { type, workspace, id }: Ref): Promise<void> {
  const ref = { workspace, id };
  if (type === "webhookdelivery") return send(world, ref);
  if (type === "hookdelivery") return processHook(world, ref);
  if (type === "hookwatch") return lookForMissed(world, ref);
  if (type === "report") return sendReport(world, ref);
  return exportDay(world, ref);
}

/** What is not due yet is left: whoever holds the entry has it come again, or the sweep finds it. */
export async function perform(world: Outside, entry: Entry): Promise<void> {
  if (entry.do === "relay") return relay(world, entry.event, entry.workspace);
  if (entry.do === "retry") return goOn(world, entry, again => perform(world, Entry.parse(again)));
  if (entry.dueAt <= world.clock.now()) await deliver(world, entry);
}
