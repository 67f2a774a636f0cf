/**
 * What hosts of a job have started on this one with ssh. It is sshd's child, and has nothing of the attempt in its environment;
 * but sshd tells it where it comes from.
 */
import { statSync } from "node:fs";
import type { Account } from "../host/account.ts";
import { endAll } from "../script/end.ts";
import { list, membersOf, type Process } from "../script/processes.ts";

/** Ends what the user's sessions from these addresses have started: TERM, `grace` seconds, KILL. */
export async function expel(addresses: readonly string[], { uid }: Pick<Account, "uid">, grace: number): Promise<void> {
  if (addresses.length === 0 || !marked("", uid).some(one => one.marked)) return;
  for (const address of addresses) await endAll(known => membersOf("", marked(`${address} `, uid), known), grace);
}

/** All processes, of which those are marked that come from there and are the user's. */
function marked(address: string, uid: number): Process[] {
  // No command is like that.
  const all = list({ environment: `SSH_CONNECTION=${address}`, command: "\n\0\n" });
  return all.map(one => ({ ...one, marked: one.marked && uidOf(one.pid) === uid }));
}

const uidOf = (pid: number): number | undefined => statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid;
