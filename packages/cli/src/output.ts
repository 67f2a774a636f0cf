/**
 * The only writer. What was asked for goes to stdout: a job's log, a table, JSON. What Muster has to say on the way goes
 * to stderr, so that `muster launch x.yaml > x.log` holds the log and nothing else.
 */
import { stripVTControlCharacters, styleText } from "node:util";

type Format = Parameters<typeof styleText>[0];

export interface Output {
  readonly json: boolean;
  readonly quiet: boolean;
  /** Whether a line on stderr can be drawn over: a terminal, and nothing that asked for silence. */
  readonly live: boolean;
  /** Whether a person sits there to be asked. */
  readonly interactive: boolean;
  /** Whether the log's own colours and cursor moves reach a terminal. */
  readonly terminal: boolean;
  /** A line of the answer; nothing under --json. */
  print(line: string): void;
  /** The answer as JSON, under --json only. */
  data(value: unknown): void;
  /** A line on the way to the answer; not under --quiet. */
  note(line: string): void;
  /** A line for whoever sits there: on a terminal only, and not under --quiet. */
  aside(line: string): void;
  /** A line that is always said. */
  warn(line: string): void;
  /** Bytes of a job's log. Resolves when more are welcome. */
  bytes(chunk: Uint8Array): Promise<void>;
  /** How wide a live line may be. */
  columns(): number;
  /** Draws over the live line; an empty text removes it. */
  redraw(line: string): void;
  /** Styled text for stderr, where notes go. */
  style(format: Format, text: string): string;
  /** Styled text for stdout, where tables go. */
  paint(format: Format, text: string): string;
}

export interface Choice {
  readonly json?: boolean;
  readonly quiet?: boolean;
  /** False: no live line even on a terminal. */
  readonly progress?: boolean;
}

export function output(choice: Choice, env: NodeJS.ProcessEnv = process.env): Output {
  const { stdout, stderr, stdin } = process;
  const json = choice.json ?? false;
  const quiet = choice.quiet ?? false;
  const ci = isCi(env);
  const logs = json ? stderr : stdout;
  const columns = (): number => stderr.columns || 80;
  const live = { width: 0 };
  const redraw = (line: string): void => {
    stderr.write(`${erase(live.width, columns())}${line}`);
    live.width = stripVTControlCharacters(line).length;
  };
  const say = (line: string): void => {
    if (live.width > 0) redraw("");
    stderr.write(`${tame(masked(line))}\n`);
  };
  return {
    json,
    quiet,
    live: stderr.isTTY === true && !quiet && !ci && choice.progress !== false,
    interactive: stdin.isTTY === true && stderr.isTTY === true && !ci,
    terminal: logs.isTTY === true,
    print: line => void (json || stdout.write(`${tame(line)}\n`)),
    data: value => void (json && stdout.write(`${JSON.stringify(value, null, stdout.isTTY ? 2 : undefined)}\n`)),
    note: line => void (quiet || say(line)),
    aside: line => void (stderr.isTTY === true && !quiet && say(line)),
    warn: say,
    bytes: chunk => new Promise(resolve => (logs.write(chunk) ? resolve() : logs.once("drain", resolve))),
    columns,
    redraw,
    style: (format, text) => styleText(format, text, { stream: stderr }),
    paint: (format, text) => styleText(format, text, { stream: stdout }),
  };
}

/** Takes away a live line: a terminal that became narrower since has broken it into several rows. */
export function erase(width: number, columns: number): string {
  const above = Math.max(0, Math.ceil(width / columns) - 1);
  return `${above === 0 ? "" : `\u001b[${above}A`}\r\u001b[J`;
}

/** The text without the secrets of tokens: whatever is said may end up in the log of a build. */
export const masked = (text: string): string => text.replaceAll(/\b(ms[teh]_)[\w.-]{12,}/g, "$1***");

/** What is no colour, and no end of a line: a label, or what a host has said of a failure, may hold anything. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNTAMED = /\u001b(?!\[[\d;]*m)|\r(?!\n)|[\0-\u0008\v\f\u000e-\u001a\u001c-\u001f\u007f-\u009f]/g;

/** The text without what would move a terminal's cursor, or set more of it than colours. */
export const tame = (text: string): string => text.replaceAll(UNTAMED, "");

/** CI=true is what every CI service sets. */
export const isCi = (env: NodeJS.ProcessEnv): boolean => env.CI === "true" || env.CI === "1";
