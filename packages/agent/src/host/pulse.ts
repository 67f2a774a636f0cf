/** How busy the machine is, since the last time that somebody asked. */
import { cpus, freemem, totalmem } from "node:os";
import type { Poll } from "../types.ts";
import { ask } from "./gpus.ts";

interface Times {
  readonly busy: number;
  readonly all: number;
}

export class Pulse {
  readonly #smi: string | undefined;
  #last = times();
  readonly #heard: (gpus: readonly number[]) => void;
  #gpus: readonly number[] = [];

  /** `heard` is told how busy each GPU is, 0 to 1, whenever that is known anew. */
  constructor(smi: string | undefined, heard: (gpus: readonly number[]) => void = () => undefined) {
    this.#smi = smi;
    this.#heard = heard;
  }

  /** GPUs as they were after the last pulse: their tool takes seconds, and polls must not wait. */
  take(): Poll["pulse"] {
    const gpus = this.#gpus;
    void ask(this.#smi, "utilization.gpu").then(now => {
      this.#gpus = now.slice(0, 64).map(percent => share(Number(percent) || 0, 100));
      this.#heard(this.#gpus);
    });
    return {
      cpu: this.#cpu(),
      memory: share(totalmem() - freemem(), totalmem()),
      gpus: [...gpus],
      sessions: 0,
    };
  }

  #cpu(): number {
    const now = times();
    const last = this.#last;
    this.#last = now;
    return share(now.busy - last.busy, now.all - last.all);
  }
}

const share = (part: number, whole: number): number => (whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0);

function times(): Times {
  const cores = cpus().map(core => core.times);
  const all = cores.reduce((sum, core) => sum + core.user + core.nice + core.sys + core.idle + core.irq, 0);
  return { all, busy: all - cores.reduce((sum, core) => sum + core.idle, 0) };
}
