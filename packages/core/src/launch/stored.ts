/** Launches that were stored, for when their time comes. */
import { issuesOf, MusterError } from "../error.ts";
import type { Item } from "../ports/table.ts";
import * as Launch from "./launch.ts";

/**
 * @param noun whose it is, such as `pool`, as its command is called, too
 * @throws MusterError `not_found` when it was removed meanwhile; `invalid_request` for one that may not be any more
 */
export function storedLaunch(item: Item | undefined, noun: string, name: string): Launch.Create {
  if (item === undefined) throw new MusterError("not_found", `there is no ${noun} '${name}'`);
  const launch = Launch.Create.safeParse(item.data.launch);
  if (launch.success) return launch.data;
  throw new MusterError(
    "invalid_request",
    `what ${noun} '${name}' launches was set by another version, which allowed more`,
    {
      issues: issuesOf(launch.error, "launch"),
      hint: `set it again: muster ${noun} set ${name}`,
    },
  );
}
