/** Hints that name an option become the whole command to type. */
import { MusterError } from "@muster/core/error.ts";
import { isSecretName } from "@muster/task/envs.ts";
import { quoted } from "./exec/words.ts";

const OVERRIDE = /(--(?:groups\.\d+\.)?resources\.[a-z_]+) (\S+?)(?=;?(?:\s|$))/g;
const TAKERS = new Set(["launch", "run", "up", "validate"]);

/** The error, with a hint that can be typed as it stands where it speaks of an option of the task file. */
export function hintFor(argv: readonly string[], error: unknown): unknown {
  if (!(error instanceof MusterError) || !TAKERS.has(argv[0] ?? "")) return error;
  const found = [...(error.details.hint ?? "").matchAll(OVERRIDE)];
  const last = found.at(-1);
  if (last === undefined) return error;
  const said = found.map(([, flag = "", value = ""]) => [flag, value]);
  const words = said.reduce((rest: readonly string[], [flag = ""]) => without(rest, flag), argv);
  const typed = ["muster", ...words, ...said.flat()].map((word, at, all) => quoted(masked(word, all[at - 1])));
  const rest = last.input.slice(last.index + last[0].length).replace(/^;\s*/, "");
  const hint = [`type: ${typed.join(" ")}`, ...(rest === "" ? [] : [rest])].join("\n  ");
  return new MusterError(error.code, error.message, { ...error.details, hint }, error);
}

/** The word without the value of a secret: the command may end up in the log of a build. */
function masked(word: string, before = ""): string {
  const [, option = "", name = ""] = /^(-e|--env=|--secret=)?([A-Za-z_]\w*)=/.exec(word) ?? [];
  const isSecret = option === "--secret=" || before === "--secret" || isSecretName(name);
  return name !== "" && isSecret ? `${option}${name}=***` : word;
}

/** The words without this option, in either spelling. */
const without = (argv: readonly string[], flag: string): string[] =>
  argv.filter((word, index) => word !== flag && argv[index - 1] !== flag && !word.startsWith(`${flag}=`));
