/** The system's tar. */
import { spawn } from "node:child_process";
import { messageOf } from "../disk.ts";
import type { Places } from "./inputs.ts";
import { InputError } from "./place.ts";

/** Unpacks an archive, compressed or not, into a folder that is there. */
export async function unpack(
  name: string,
  archive: string,
  folder: string,
  { env, owner }: Pick<Places, "env" | "owner">,
  signal: AbortSignal,
): Promise<void> {
  const problem = await new Promise<string | undefined>(resolve => {
    const said: string[] = [];
    // The archive's owners are the user's machine's, and mean nothing here.
    const [program = "", ...args] = [...(owner?.asOwner ?? []), "tar", "-xf", archive, "-C", folder, "--no-same-owner"];
    const tar = spawn(program, args, {
      // In the agent's own session, it would lead those who look for the attempt's processes to the agent.
      detached: true,
      env,
      signal,
      stdio: ["ignore", "ignore", "pipe"],
    });
    tar.stderr.setEncoding("utf8").on("data", (text: string) => said.length < 20 && said.push(text));
    tar.once("error", error => resolve(messageOf(error)));
    tar.once("close", code => resolve(code === 0 ? undefined : said.join("").trim().slice(0, 500) || `tar: ${code}`));
  });
  signal.throwIfAborted();
  if (problem !== undefined) throw new InputError(`${name} could not be unpacked: ${problem}`);
}
