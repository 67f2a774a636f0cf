/** How busy the machine's cores are, since the last time that somebody asked. */
import { cpus } from "node:os";

interface Times {
  readonly busy: number;
  readonly all: number;
}

export class Cores {
  #last = times();

  /** Busy share of all cores, 0 to 1. */
  take(): number {
    const now = times();
    const last = this.#last;
    this.#last = now;
    return share(now.busy - last.busy, now.all - last.all);
  }
}

/** Between 0 and 1. */
export const share = (part: number, whole: number): number => (whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0);

function times(): Times {
  const cores = cpus().map(core => core.times);
  const all = cores.reduce((sum, core) => sum + core.user + core.nice + core.sys + core.idle + core.irq, 0);
  return { all, busy: all - cores.reduce((sum, core) => sum + core.idle, 0) };
}
