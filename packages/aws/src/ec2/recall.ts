/** Answers of AWS that change seldom, remembered by this process. */
import type { Clock } from "@muster/core/ports/ports.ts";

export interface Recall<T> {
  /** What is remembered under the key; else what `ask` answers. A failure is not remembered. */
  get(key: string, ask: () => Promise<T>): Promise<T>;
  forget(key: string): void;
}

/** @param within how long an answer is good, in ms. */
export function recall<T>(clock: Clock, within: number): Recall<T> {
  const known = new Map<string, { readonly answer: Promise<T>; readonly until: number }>();
  return {
    get(key, ask) {
      const found = known.get(key);
      if (found !== undefined && found.until > clock.now()) return found.answer;
      const entry = { answer: ask(), until: clock.now() + within };
      known.set(key, entry);
      // Whoever asked is told of a failure; the next one asks anew.
      entry.answer.catch(() => {
        if (known.get(key) === entry) known.delete(key);
      });
      return entry.answer;
    },
    forget(key) {
      known.delete(key);
    },
  };
}
