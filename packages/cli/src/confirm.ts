/** Questions to a person. Nobody is asked who is not there. */
import { createInterface } from "node:readline/promises";
import { MusterError } from "@muster/core/error.ts";

export interface Asker {
  /** --yes. */
  readonly yes: boolean;
  readonly interactive: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Goes on when the person agrees, or has agreed with --yes.
 * @param hint what else may be done
 * @throws MusterError otherwise.
 */
export async function confirm(asker: Asker, question: string, matter: string, hint?: string): Promise<void> {
  if (asker.yes) return;
  if (!asker.interactive)
    throw new MusterError("invalid_request", `${matter}: this needs --yes`, hint === undefined ? {} : { hint });
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  // A line that is being read keeps Ctrl-C to itself.
  reader.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  try {
    const answer = await reader.question(`${question} [y/N] `, asker.signal ? { signal: asker.signal } : {});
    if (!/^y(es)?$/i.test(answer.trim())) throw new MusterError("invalid_request", "nothing was done");
  } finally {
    reader.close();
  }
}
