/** The system's tar. */
import type { Places } from "./inputs.ts";
import { InputError } from "./place.ts";
import { runProgram } from "./program.ts";

/** Unpacks an archive, compressed or not, into a folder that is there. */
export async function unpack(
  name: string,
  archive: string,
  folder: string,
  { env, owner }: Pick<Places, "env" | "owner">,
  signal: AbortSignal,
): Promise<void> {
  // The archive's owners are the user's machine's, and mean nothing here.
  const command = [...(owner?.asOwner ?? []), "tar", "-xf", archive, "-C", folder, "--no-same-owner"];
  const { code, said } = await runProgram({ command, env }, signal);
  signal.throwIfAborted();
  if (code !== 0) throw new InputError(`${name} could not be unpacked: ${said.slice(0, 500) || `tar: ${code}`}`);
}
