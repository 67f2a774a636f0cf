/** How the machine is, as every poll says it. */
import { freemem, totalmem } from "node:os";
import { sessions } from "../idle/sessions.ts";
import type { Poll } from "../types.ts";
import { Cores, share } from "./cores.ts";
import { busyGpus } from "./gpus.ts";

export class Pulse {
  readonly #smi: string | undefined;
  readonly #cores = new Cores();
  readonly #heard: (gpus: readonly number[]) => void;
  #gpus: readonly number[] = [];

  /** `heard` is told how busy each GPU is, 0 to 1, whenever that is known anew. */
  constructor(smi: string | undefined, heard: (gpus: readonly number[]) => void = () => undefined) {
    this.#smi = smi;
    this.#heard = heard;
  }

  /** GPUs as they were after the last pulse: their tool takes seconds, and polls must not wait. */
  take(quiet?: Poll["pulse"]["quiet"]): Poll["pulse"] {
    const gpus = this.#gpus;
    void busyGpus(this.#smi).then(now => {
      this.#gpus = now?.slice(0, 64).map(busy => busy ?? 0) ?? [];
      this.#heard(this.#gpus);
    });
    return {
      cpu: this.#cores.take(),
      memory: share(totalmem() - freemem(), totalmem()),
      gpus: [...gpus],
      sessions: sessions(),
      ...(quiet && { quiet }),
    };
  }
}
