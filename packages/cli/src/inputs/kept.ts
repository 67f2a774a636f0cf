/** Files that are sent now, and are needed again and again later: by a schedule, or by a pool. */
import type { Output } from "../output.ts";
import type { Inputs } from "./find.ts";

/** Says how long a deployment keeps them, where there are any. */
export function tellKept(out: Pick<Output, "note">, { workdir, mounts }: Pick<Inputs, "workdir" | "mounts">): void {
  if ((workdir === undefined || "url" in workdir) && mounts.length === 0) return;
  out.note(
    "  Its files are those of now. A deployment keeps them for 90 days: set it again by then, or name a git repository.",
  );
}
