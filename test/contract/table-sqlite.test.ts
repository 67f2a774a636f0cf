/** Ran against: the local adapter, on real files of node:sqlite; plain, with lagging indexes, and with refusals. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MusterError } from "@muster/core/error.ts";
import type { Table } from "@muster/core/ports/table.ts";
import { openTable, type TableOptions } from "@muster/local/table/table.ts";
import { tableContract } from "./table.ts";
import type { Open } from "./table-subject.ts";
import { SETTLE_MS } from "./table-subject.ts";

const opening =
  (options: Partial<TableOptions>, wrap: (table: Table) => Table = table => table): Open =>
  async setup => {
    const folder = mkdtempSync(join(tmpdir(), "muster-table-"));
    const table = openTable({ path: join(folder, "table.db"), ...setup, ...options });
    const close = () => {
      table.close();
      rmSync(folder, { recursive: true });
    };
    return { table: wrap(table), close };
  };

/** The same numbers each time, spread over 0 to 1. */
function scatter(): () => number {
  let state = 1;
  return () => {
    state = (state * 48_271) % 0x7fff_ffff;
    return state / 0x7fff_ffff;
  };
}

/** Tries again what was refused: if a refused write had left anything, the next try would not fit. */
function insisting(table: Table): Table {
  const write: Table["write"] = async writes => {
    try {
      await table.write(writes);
    } catch (error) {
      if (!(error instanceof MusterError && error.code === "busy")) throw error;
      await write(writes);
    }
  };
  return { get: table.get, query: table.query, write };
}

const draw = scatter();

tableContract("SQLite", opening({}));
tableContract("SQLite with indexes that lag", opening({ indexLag: { draw: () => draw() * SETTLE_MS } }));
tableContract("SQLite that refuses half of all transactions", opening({ refuse: () => draw() < 0.5 }, insisting), {
  runs: 50,
});
