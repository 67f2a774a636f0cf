/** Folders for tests, with what is in them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const made: string[] = [];

/** Removes what was made. */
export function clear(): void {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
}

export const temporary = (): string => {
  made.push(mkdtempSync(join(tmpdir(), "muster-archive-")));
  return made.at(-1) ?? "";
};

/** A folder with these files; a name that ends with `/` is a folder. */
export function folder(files: Readonly<Record<string, string>>): string {
  const root = temporary();
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(path.endsWith("/") ? join(root, path) : dirname(join(root, path)), { recursive: true });
    if (!path.endsWith("/")) writeFileSync(join(root, path), content);
  }
  return root;
}
