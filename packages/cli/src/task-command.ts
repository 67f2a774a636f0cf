/** Commands that take a task file: keys of the file may be given as options, such as `--resources.cloud local`. */
import { MusterError } from "@muster/core/error.ts";
import { nearest } from "@muster/core/near.ts";
import { EnvName } from "@muster/core/task/task.ts";
import { topKeys as KEYS } from "@muster/task/keys.ts";
import { Command, InvalidArgumentError, type ParseOptionsResult } from "commander";

/** Splits off the options that are keys of a task file, each with its value. What the command knows itself is its own. */
export function splitOverrides(
  argv: readonly string[],
  isOwn: (flag: string) => boolean,
): { rest: string[]; overrides: string[] } {
  const rest: string[] = [];
  const overrides: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? "";
    if (word === "--") return { rest: [...rest, ...argv.slice(at)], overrides };
    const [flag = "", value] = word.split(/=(.*)/s, 2);
    if (!isOverride(flag) || isOwn(flag)) rest.push(word);
    else if (value === undefined && at + 1 < argv.length) overrides.push(word, argv[++at] ?? "");
    else overrides.push(word);
  }
  return { rest, overrides };
}

const isOverride = (flag: string): boolean =>
  flag.startsWith("--") && KEYS.has(flag.slice(2).split(/[.[]/, 1)[0] ?? "");

/** A command of commander that keeps the task file's keys apart from its own options. */
export class TaskCommand extends Command {
  overrides: readonly string[] = [];

  override parseOptions(argv: string[]): ParseOptionsResult {
    const own = new Set(this.options.flatMap(option => [option.long, option.short]));
    const { rest, overrides } = splitOverrides(argv, flag => own.has(flag));
    this.overrides = [...this.overrides, ...overrides];
    this.refuseMisspelled(rest, own);
    return super.parseOptions(rest);
  }

  /** An option that is nearest to a key; commander proposes its own options only. */
  private refuseMisspelled(words: readonly string[], own: ReadonlySet<string | undefined>): void {
    const names = [...own].flatMap(flag => (flag?.startsWith("--") ? [flag.slice(2)] : []));
    const end = words.indexOf("--");
    for (const word of end < 0 ? words : words.slice(0, end)) {
      const [flag = ""] = word.split("=", 1);
      if (!flag.startsWith("--") || own.has(flag) || flag === "--help") continue;
      // Of a path, such as resources.cloud, its first key.
      const [, first = "", rest = ""] = /^--([^.[]*)(.*)$/s.exec(flag) ?? [];
      const near = nearest(first, rest === "" ? [...names, ...KEYS] : [...KEYS]);
      if (near === undefined || !KEYS.has(near) || own.has(`--${near}${rest}`)) continue;
      this.error(`error: unknown option '${flag}'\n(Did you mean --${near}${rest}?)`, {
        code: "commander.unknownOption",
      });
    }
  }
}

/** Collects `-e NAME=value`; `-e NAME` takes the caller's own value. */
export function envOption(env: NodeJS.ProcessEnv) {
  return (given: string, earlier: Readonly<Record<string, string>> = {}): Record<string, string> => {
    const [name = "", value] = given.split(/=(.*)/s, 2);
    const found = value ?? ownValue(env, name);
    if (name === "") throw new InvalidArgumentError("Write NAME=value, or NAME to pass on your own.");
    const read = EnvName.safeParse(name);
    // Not as commander tells it, which is with the value.
    if (!read.success)
      throw new MusterError("invalid_request", `the command line: -e ${name}: ${read.error.issues[0]?.message}`);
    if (found === undefined) throw new InvalidArgumentError(`${name} is not set here: write ${name}=value.`);
    return { ...earlier, [name]: found };
  };
}

/** A variable that is set here. What every object has, such as `constructor`, is none. */
export const ownValue = (env: NodeJS.ProcessEnv, name: string): string | undefined =>
  Object.hasOwn(env, name) ? env[name] : undefined;

/** Reads a whole number that an option was given. */
export function count(least: number, most = Number.MAX_SAFE_INTEGER) {
  return (given: string): number => {
    const value = Number(given);
    if (/^\d+$/.test(given) && value >= least && value <= most) return value;
    const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`Write a whole number, ${range}.`);
  };
}
