/** Whether the GPUs that a job asked for are there, at the moment at which it begins. */
import type { Assignment } from "../types.ts";
import { indices } from "./gpus.ts";

/** Why the job cannot begin; undefined when all is there, or when it asked for none. */
export async function missing(
  { gpus, gpusAsked }: Pick<Assignment, "gpus" | "gpusAsked">,
  smi: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (gpusAsked === undefined) return undefined;
  const asked = `asked for ${gpusAsked === 1 ? "1 GPU" : `${gpusAsked} GPUs`}`;
  if (smi === undefined) return `${asked}; the host has no nvidia-smi, which would show them: no driver is installed`;
  const { found, said } = await indices(smi, signal);
  if (found === undefined) return `${asked}; ${said}`;
  const gone = (gpus ?? []).filter(gpu => !found.includes(gpu));
  if (gone.length === 0 && found.length >= gpusAsked) return undefined;
  const which = gone.length === 0 ? "" : `: GPU ${gone.join(", ")} ${gone.length === 1 ? "is" : "are"} not there`;
  return `${asked}; the host shows ${found.length}${which}${said === "" ? "" : ` (${said})`}`;
}
