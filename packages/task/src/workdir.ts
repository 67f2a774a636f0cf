/** The working folder: one of this machine's, or a git repository. */
import type { Git } from "@muster/core/task/inputs.ts";
import type { Draft } from "./draft.ts";
import { filled, isUrl } from "./paths.ts";
import { claim, type Field, inside, type Keys, type Place, type Reading, refuse, text, walk } from "./reading.ts";
import { join, type Mapping } from "./yaml/tree.ts";

type ReadField = Extract<Field<Draft>, (...args: never[]) => void>;
type Parts = { -readonly [K in keyof Git]?: Git[K] };

/** What git itself takes for a repository that is not on this machine. */
const REMOTE = /^(?:https?|ssh):\/\/[^\s/]+\/\S+$/i;
/** `git@github.com:you/code.git` */
const SCP = /^[\w.-]+@[\w.-]+:[^\s:]\S*$/;
const REF = /^[^\s\p{Cc}~^:?*[\\-][^\s\p{Cc}~^:?*[\\]*$/u;
const EXAMPLE = "https://github.com/you/code.git";

const isGit = (url: string): boolean => REMOTE.test(url) || SCP.test(url);

/** `workdir` (Oumi: `working_dir`). */
export const workdir: ReadField = (reading, value, at, out) => {
  if (value.kind === "map" && reading.dialect !== "oumi") return repository(reading, value, at, out);
  const source = text(reading, value, at);
  if (source === undefined || !claim(reading, "workdir", at)) return;
  const path = filled(reading, source, at, out);
  if (path === undefined) return;
  if (path.trim() === "") refuse(reading, at, "is empty", "leave the key out");
  else if (isUrl(path) || SCP.test(path)) refuse(reading, at, "must be a local folder, and is a URL", remedy(reading));
  else out.workdir = path;
};

const remedy = ({ dialect }: Reading): string | undefined =>
  dialect === "oumi" ? undefined : "write a git repository as a map of url and ref";

function repository(reading: Reading, map: Mapping, at: Place, out: Draft): void {
  const parts: Parts = {};
  const before = reading.issues.length;
  const into = (key: keyof Git): Field<Parts> => {
    return (its, value, place) => {
      const read = text(its, value, place);
      const path = read === undefined ? undefined : filled(its, read.trim(), place, out);
      if (path !== undefined) parts[key] = path;
    };
  };
  const keys: Keys<Parts> = { url: into("url"), ref: into("ref") };
  walk(inside(reading), map, at.path, keys, parts);
  if (reading.issues.length > before || !claim(reading, "workdir", at)) return;
  const { url, ref } = parts;
  if (url === undefined) refuse(reading, { ...at, path: join(at.path, "url") }, "is missing", `write url: ${EXAMPLE}`);
  else if (isSound(reading, { url, ...(ref !== undefined && { ref }) }, at))
    out.workdir = { url, ...(ref !== undefined && { ref }) };
}

function isSound(reading: Reading, { url, ref }: Git, at: Place): boolean {
  const within = (key: string): Place => ({ ...at, path: join(at.path, key) });
  if (!isGit(url)) refuse(reading, within("url"), "must be the URL of a git repository", `such as ${EXAMPLE}`);
  else if (/^\w+:\/\/[^/@]*:[^/@]*@/.test(url))
    refuse(reading, within("url"), "must not have a password in it", "give it as the secret GIT_TOKEN");
  else if (ref !== undefined && !REF.test(ref))
    refuse(reading, within("ref"), "must be a branch, a tag or a commit", "leave it out for the default branch");
  else return true;
  return false;
}
