/** The commands that the words of a command line are. */

import { MusterError } from "@muster/core/error.ts";
import type { Language } from "@muster/core/job/command.ts";

/**
 * One word is a command as it stands, with whatever the shell makes of it; several are a program and its arguments, which come
 * through as they are. With `each`, every word is a command.
 */
export function commandsOf(words: readonly string[], language: Language, each: boolean): string[] {
  if (each || words.length === 1) return [...words];
  if (language === "shell") return [words.map(quoted).join(" ")];
  throw new MusterError("invalid_request", "with --python the program is one word", {
    hint: "put it in quotes; or say --each, and each word is a program of its own",
  });
}

/** As a shell takes it for one word. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
