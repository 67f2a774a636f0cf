/** Interleavings of several actors on one table: each operation of the table waits for its turn, which a seed decides. */
import { MusterError } from "@muster/core/error.ts";
import type { Table } from "@muster/core/ports/table.ts";

export interface Turns {
  readonly table: Table;
  /** Runs all of them at once, to their ends. @returns how many turns there were */
  run(actors: readonly (() => Promise<unknown>)[]): Promise<number>;
}

/** @param next numbers in [0, 1) @param refuses the share of writes that the store refuses */
export function turns(table: Table, next: () => number, refuses = 0): Turns {
  const waiting: (() => void)[] = [];
  const state = { isOn: false };
  const turn = (): Promise<void> => (state.isOn ? new Promise(go => void waiting.push(go)) : Promise.resolve());
  return {
    table: {
      get: async key => {
        await turn();
        return table.get(key);
      },
      query: (async (query: Parameters<Table["query"]>[0]) => {
        await turn();
        return table.query(query as never);
      }) as Table["query"],
      write: async writes => {
        await turn();
        if (state.isOn && next() < refuses) throw new MusterError("busy", "the store refused");
        return table.write(writes);
      },
    },
    run: async actors => {
      state.isOn = true;
      const left = { count: actors.length };
      const done = Promise.all(actors.map(actor => actor().finally(() => left.count--)));
      let count = 0;
      while (left.count > 0) {
        // All that can go on without the table has.
        await new Promise(resolve => setImmediate(resolve));
        waiting.splice(Math.floor(next() * waiting.length), 1)[0]?.();
        count++;
      }
      state.isOn = false;
      await done;
      return count;
    },
  };
}
