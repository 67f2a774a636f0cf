/** Ending every process of an attempt: TERM, a while, KILL, until none is left. */
import { sleep } from "../wait.ts";
import { membersOf, nameOf, type Process } from "./processes.ts";

export const end = (folder: string, grace: number, keep: Keep = () => [], killedWithin?: number): Promise<void> =>
  endAll(known => membersOf(folder, undefined, known), grace, keep, killedWithin);

/**
 * TERM is sent once, to those that are there then: programs take a second one as an order to drop everything, and what
 * they start in order to end well must be let alone until the grace is over.
 * @param find those that are there; what was `known` as such stays so
 * @param killedWithin seconds after the first KILL, when those are left that the kernel does not let go; without it, none is
 */
export async function endAll(
  find: (known: ReadonlySet<string>) => readonly Process[],
  grace: number,
  keep: Keep = () => [],
  killedWithin = Number.POSITIVE_INFINITY,
): Promise<void> {
  // Nobody sets this clock.
  const deadline = performance.now() + grace * 1000;
  const known = new Set<string>();
  const present = (): Process[] => {
    const members = find(known);
    for (const one of members) known.add(nameOf(one));
    return without(members, keep);
  };
  let killedAt: number | undefined;
  const first = present();
  ask(first);
  for (let members = first, pause = 2; members.length > 0; members = present()) {
    const now = performance.now();
    if (now >= deadline) {
      // From the first of them: this process may have been held up itself.
      killedAt ??= now;
      if (now > killedAt + killedWithin * 1000) return;
      for (const one of members) signal(one.pid, "SIGKILL");
    }
    await sleep(Math.min(pause, Math.max(2, deadline - performance.now())));
    pause = Math.min(pause * 2, patience(deadline));
  }
}

/** Which of the processes are left alone. */
export type Keep = (members: readonly Process[]) => readonly Process[];

function without(members: readonly Process[], keep: Keep): Process[] {
  const kept = new Set(keep(members));
  return members.filter(one => !kept.has(one));
}

/** What the kernel does not let go, such as a process in a dead NFS mount, is asked for less and less often. */
const patience = (deadline: number): number => (performance.now() > deadline + 10_000 ? 5_000 : 100);

/** By group, so that nothing slips away by forking meanwhile; every group of an attempt is all its own. */
function ask(members: readonly Process[]): void {
  for (const group of new Set(members.map(one => one.group))) {
    signal(-group, "SIGTERM");
    // A stopped process would not hear it.
    signal(-group, "SIGCONT");
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone since it was listed, or not ours to end: the next look tells.
  }
}
