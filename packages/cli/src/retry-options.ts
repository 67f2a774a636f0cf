/** The options that say how often a job is tried, over what its file says. */
import { MusterError } from "@muster/core/error.ts";
import { Retry, RetryCause } from "@muster/core/task/retry.ts";
import type { TaskInput } from "@muster/core/task/task.ts";
import { type Command, InvalidArgumentError } from "commander";
import { count } from "./task-command.ts";

export interface RetryOptions {
  readonly retry?: number;
  readonly retryOn?: readonly RetryCause[];
  readonly maxAttempts?: number;
}

type Said = TaskInput["retry"];

const MOST = 1000;
/** What `--max-attempts` alone is about: as the key of the same name. */
const ANY: RetryCause[] = ["exit_code", "setup_failed", "interruption", "host_lost"];

export const addRetryOptions = (command: Command): Command =>
  command
    .option(
      "--retry <number>",
      "times that the job is tried again when its try was interrupted or lost",
      count(0, MOST),
    )
    .option("--retry-on <causes>", `what is worth another try: ${RetryCause.options.join(", ")}`, causes)
    .option("--max-attempts <number>", "tries in all, also when the script or its setup fails", count(1, MOST + 1));

/** Between commas. */
function causes(given: string): RetryCause[] {
  const read = RetryCause.array().safeParse([...new Set(given.split(",").map(word => word.trim()))]);
  if (read.success) return read.data;
  throw new InvalidArgumentError(`Causes are ${RetryCause.options.join(", ")}.`);
}

/** What the options and the file together say. @throws MusterError `invalid_request` when two of the options contradict. */
export function retryOf(file: Said, { retry, retryOn, maxAttempts }: RetryOptions): Said {
  if (retry !== undefined && maxAttempts !== undefined)
    throw new MusterError("invalid_request", "--retry and --max-attempts say the same: keep one of them");
  const max = maxAttempts === undefined ? retry : maxAttempts - 1;
  if (max === undefined && retryOn === undefined) return file;
  const otherwise = file ?? (maxAttempts === undefined ? {} : { on: ANY });
  const said = {
    ...otherwise,
    ...(max !== undefined && { max }),
    ...(retryOn !== undefined && { on: [...retryOn] }),
  };
  return Retry.parse(said);
}
