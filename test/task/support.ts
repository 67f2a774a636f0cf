import {
  type Draft,
  type Issue,
  type Options,
  type Result,
  read as readFile,
  TaskFileError,
} from "@muster/task/read.ts";

/** Reads a file of one task. */
export function read(text: string, options?: Options): Result & { readonly draft: Draft } {
  const result = readFile(text, options);
  const [draft, ...more] = result.tasks;
  if (draft === undefined || more.length > 0) throw new Error(`the file has ${result.tasks.length} tasks`);
  return { ...result, draft };
}

/** What is wrong with a file. */
export function problems(text: string, options?: Options): readonly Issue[] {
  try {
    readFile(text, options);
  } catch (error) {
    if (error instanceof TaskFileError) return error.issues;
    throw error;
  }
  return [];
}

/** The resources that a file's `resources` (in flow style, or as indented lines) ask for. */
export const resources = (text: string, options?: Options) =>
  read(`resources: ${text}\n`, options).draft.task.resources;
