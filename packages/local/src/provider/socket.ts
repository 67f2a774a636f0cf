/** Talking to an agent on this machine: one word in, one line out, over its unix socket. */
import { connect } from "node:net";

/** How long an agent may take to answer, in ms. */
const PATIENCE = 5_000;

/** @returns the answer; undefined when no agent lives there. With `untilClosed`, waits until the agent hangs up. */
export function ask(
  path: string,
  word: string,
  options: { readonly untilClosed?: boolean; readonly patience?: number } = {},
): Promise<string | undefined> {
  return new Promise(resolve => {
    const heard: string[] = [];
    const socket = connect(path);
    socket.setEncoding("utf8").setTimeout(options.patience ?? PATIENCE, () => socket.destroy());
    socket.on("connect", () => socket.write(`${word}\n`));
    socket.on("data", (text: string) => {
      heard.push(text);
      if (!options.untilClosed && text.includes("\n")) socket.end();
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => resolve(heard.length === 0 ? undefined : heard.join("").trimEnd()));
  });
}
