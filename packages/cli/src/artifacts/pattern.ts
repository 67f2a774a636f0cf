/** Which artifacts a person means. */

const SPECIAL = /[.+^${}()|[\]\\]/g;

/**
 * `*` and `?` stay within a name, `**` does not. A pattern without a slash is for the names of files, wherever they are; one
 * that names a folder takes all that is in it.
 */
export function matcher(pattern: string | undefined): (path: string) => boolean {
  if (pattern === undefined) return () => true;
  const wanted = pattern.replace(/^\.\//, "").replace(/\/+$/, "");
  const source = wanted
    .split("/")
    .map(sourceOf)
    .join("/")
    .replaceAll("\u0000/", "(?:[^/]+/)*")
    .replaceAll("\u0000", ".*");
  const whole = new RegExp(`^${source}(?:/|$)`, "s");
  if (wanted.includes("/")) return path => whole.test(path);
  return path => whole.test(path) || whole.test(path.slice(path.lastIndexOf("/") + 1));
}

/** A zero stands for any number of folders: no path has one. */
function sourceOf(part: string): string {
  if (part === "**") return "\u0000";
  return part.replaceAll(SPECIAL, "\\$&").replaceAll(/\*+/g, "[^/]*").replaceAll("?", "[^/]");
}
