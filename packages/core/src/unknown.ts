/** Names that nothing has. */
import { MusterError } from "./error.ts";
import * as Keys from "./keys.ts";
import { nearest } from "./near.ts";
import type { Table } from "./ports/table.ts";

/**
 * The error for a name that nothing has in this workspace, with the nearest that something has.
 * @param noun as its list and its command are called
 */
export async function unknown(table: Table, workspace: string, noun: string, name: string): Promise<MusterError> {
  const { items } = await table.query({ pk: Keys.list(workspace, noun, "").pk, index: "list", limit: 1000 });
  const near = nearest(
    name,
    items.map(item => String(item.data.name)),
  );
  return new MusterError("not_found", `there is no ${noun} '${name}'`, {
    hint: near ? `did you mean '${near}'?` : `see what there is with: muster ${noun} list`,
  });
}
