import { type Issue, type Options, read, TaskFileError } from "@muster/task/read.ts";

/** What is wrong with a file. */
export function problems(text: string, options?: Options): readonly Issue[] {
  try {
    read(text, options);
  } catch (error) {
    if (error instanceof TaskFileError) return error.issues;
    throw error;
  }
  return [];
}

/** The resources that a file's `resources` (in flow style, or as indented lines) ask for. */
export const resources = (text: string, options?: Options) =>
  read(`resources: ${text}\n`, options).draft.task.resources;
