/** Ctrl-C and SIGTERM: the first asks the command to wind up, the second ends it. */
import type { Cli } from "./cli.ts";
import { INTERRUPTED, TERMINATED } from "./exit.ts";

export interface Interrupt extends Disposable {
  readonly signal: AbortSignal;
  /** The exit code that the signal calls for. */
  code(): number;
}

export function interrupt(): Interrupt {
  const controller = new AbortController();
  const got: { name?: NodeJS.Signals } = {};
  const code = (): number => (got.name === "SIGTERM" ? TERMINATED : INTERRUPTED);
  const take = (name: NodeJS.Signals): void => {
    if (got.name !== undefined) process.exit(code());
    got.name = name;
    // The terminal has echoed ^C: what is said next begins a line.
    if (process.stderr.isTTY) process.stderr.write("\n");
    controller.abort(new Error(`interrupted by ${name}`));
  };
  process.on("SIGINT", take).on("SIGTERM", take);
  return {
    signal: controller.signal,
    code,
    [Symbol.dispose]: () => void process.off("SIGINT", take).off("SIGTERM", take),
  };
}

/** Does what can be left without a trace: an interruption ends it, says so, and sets the exit code. */
export async function orLeave<T>(
  { out }: Pick<Cli, "out">,
  stop: Interrupt,
  act: () => Promise<T | undefined>,
): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    out.note("Interrupted: nothing was launched.");
    process.exitCode = stop.code();
    return undefined;
  }
}
