/** The option that says labels, over what the file says of them. */
import { Labels } from "@muster/core/task/task.ts";
import { type Command, InvalidArgumentError } from "commander";

export interface LabelOptions {
  readonly label?: Readonly<Record<string, string>>;
}

export const addLabelOption = (command: Command): Command =>
  command.option("--label <key=value>", "a word of your own to find the job by; may be given more than once", label);

/** Collects `--label key=value`; a key alone has an empty value. */
export function label(given: string, earlier: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [key = "", value = ""] = given.split(/=(.*)/s, 2);
  const read = Labels.safeParse({ ...earlier, [key]: value });
  // A map that is read loses `__proto__` without a word.
  if (read.success && Object.hasOwn(read.data, key)) return read.data;
  if (read.success) throw new InvalidArgumentError(`'${key}' is not a name that may be used.`);
  const [issue] = read.error.issues;
  const inner = issue?.code === "invalid_key" ? issue.issues[0]?.message : issue?.message;
  throw new InvalidArgumentError(`Write KEY=VALUE: ${inner}.`);
}

/** What the options and the file together say. */
export const labelsOf = (
  file: Readonly<Record<string, string>> | undefined,
  { label: given }: LabelOptions,
): { labels?: Record<string, string> } => (given === undefined ? {} : { labels: { ...file, ...given } });
