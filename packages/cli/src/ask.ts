/** Questions whose answer is a word. Asked on stderr, so that stdout holds answers alone. */
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

/** The answer, without space around it. */
export const ask = (question: string): Promise<string> => read(question, process.stderr);

/** The answer, which is not shown while it is typed. */
export async function askHidden(question: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  try {
    return await read("", nowhere, () => process.stderr.write(question));
  } finally {
    process.stderr.write("\n");
  }
}

/** @param onQuiet is called when the terminal no longer echoes by itself: whoever is asked earlier may answer too early. */
async function read(
  question: string,
  output: NodeJS.WritableStream,
  onQuiet: () => unknown = () => undefined,
): Promise<string> {
  // A terminal even where what is written goes nowhere: only so does it not echo by itself.
  const reader = createInterface({ input: process.stdin, output, terminal: true });
  onQuiet();
  const left = new AbortController();
  // A line that is being read keeps Ctrl-C to itself.
  reader.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  reader.on("close", () => left.abort());
  try {
    return (await reader.question(question, { signal: left.signal })).trim();
  } catch (error) {
    // Ctrl-D: there is no answer.
    if (left.signal.aborted) return "";
    throw error;
  } finally {
    reader.close();
  }
}
