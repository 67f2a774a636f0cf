/** The packages of an attempt: what the installer is told, and how to know that it was told the same before. */
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { addressOf, HELPER, quietly } from "../inputs/git.ts";
import { InputError, placeOf } from "../inputs/place.ts";
import { LISTS } from "../setups.ts";
import type { Assignment } from "../types.ts";

type Package = Assignment["packages"][number];

/** Where paths lead. */
export interface Bases {
  readonly home: string;
  readonly workdir: string;
}

interface Source {
  readonly kind: "name" | "path" | "git";
  /** What the installer takes. */
  readonly source: string;
  /** Where it will be on the host; the name of a requirement where that is nowhere. */
  readonly folder: string;
}

const GITHUB = /^https:\/\/([^/@]*@)?github\.com\/[^/]+\/[^/]+$/;

/**
 * A name for pip or conda; a path, below `~`, absolute, or in the workdir; or a repository.
 * @throws InputError for a source that no installer should see
 */
function sourceOf(one: Package, { home, workdir }: Bases): Source {
  const { method, source } = one;
  if (source.startsWith("-") || /\p{Cc}/u.test(source))
    throw new InputError(`package ${labelOf(one)}: a source is no option; options belong into args`);
  const plain = source.replace(/\/+$/, "");
  if (/^(ssh:\/\/|git@)/.test(plain) || GITHUB.test(plain) || /^https?:\/\/[^?#]+\.git$/.test(plain)) {
    const { url, password } = addressOf(plain, `package ${labelOf(one)}`);
    if (password !== undefined) throw new InputError(`package ${url}: give what opens it as the secret GIT_TOKEN`);
    return { kind: "git", source: url, folder: join(home, basename(url.replace(/:/g, "/"), ".git")) };
  }
  const isPath = method === "reqs" || method === "local" || /^(\.|~|\/)/.test(source);
  if (method === "conda" || !isPath) return { kind: "name", source, folder: "" };
  const path = placeOf(source, home, workdir);
  return { kind: "path", source: path, folder: path };
}

/**
 * The installer's arguments. A folder in the workdir is installed as a copy, since the next job has another; others may be
 * edited where they are.
 * @throws InputError
 */
export function argumentsOf(packages: readonly Package[], bases: Bases): string[] {
  return packages.flatMap(one => {
    const { kind, source, folder } = sourceOf(one, bases);
    const keep = kind === "path" ? wayOf(folder, bases) : folder;
    const { revision = "", args, method } = one;
    if (revision.startsWith("-")) throw new InputError(`package ${labelOf(one)}: its revision cannot begin with "-"`);
    return [method, kind, source, keep, revision, labelOf(one), String(args.length), ...args];
  });
}

const wayOf = (folder: string, { workdir }: Bases): string =>
  folder === workdir || folder.startsWith(`${workdir}/`) ? "copy" : "edit";

/** As people write it. */
export const labelOf = ({ method, source, revision }: Package): string =>
  `${method}:${source.replace(/\/\/[^/@]*@/, "//")}${revision ? `@${revision}` : ""}`;

/** The script's environment: git asks nobody, and finds the job's token. @throws InputError */
export const withGit = (
  assignment: Assignment,
  bases: Bases,
  env: Readonly<Record<string, string>>,
): Record<string, string> => ({
  ...quietly(env),
  MUSTER_GIT_HOST: env.GIT_TOKEN?.trim() ? hostOf(assignment, bases) : "",
  MUSTER_GIT_USER: "x-access-token",
  MUSTER_GIT_PASSWORD: env.GIT_TOKEN?.trim() ?? "",
  MUSTER_GIT_HELPER: HELPER,
});

/** Whose the token is: that of the workdir's repository, else of all packages if they have one. Empty when nobody's. */
function hostOf({ workdir, packages }: Assignment, bases: Bases): string {
  const sources = packages.map(one => sourceOf(one, bases)).filter(({ kind }) => kind === "git");
  const urls = workdir !== undefined && "url" in workdir ? [workdir.url] : sources.map(({ source }) => source);
  const [host, ...others] = new Set(urls.flatMap(url => addressOf(url).origin ?? []));
  return host === undefined || others.length > 0 ? "" : host;
}

/** PYTHONPATH for setup and run; undefined when no package asks for it. @throws InputError */
export function pythonPath({ packages, env }: Assignment, bases: Bases): string | undefined {
  const folders = packages.filter(one => one.method === "local").map(one => sourceOf(one, bases).folder);
  return folders.length === 0 ? undefined : [...folders, ...(env.PYTHONPATH ? [env.PYTHONPATH] : [])].join(":");
}

/** Names a list of packages on a host: what a folder holds is told by the hashes of all that the job brought along. */
export function listKey(assignment: Assignment, bases: Bases, commit: string | undefined): string {
  const { packages, workdir, mounts } = assignment;
  const hasPaths = packages.some(one => sourceOf(one, bases).kind === "path");
  const folder = workdir === undefined || "url" in workdir ? (commit ?? null) : workdir.packs.map(pack => pack.sha256);
  const brought = [folder, mounts.map(mount => [mount.path, identityOf(mount)])];
  const content = JSON.stringify([packages, hasPaths ? brought : []]);
  return `${LISTS}${createHash("sha256").update(content).digest("hex")}`;
}

function identityOf(mount: Assignment["mounts"][number]): unknown {
  if (mount.kind === "bucket") return mount.source;
  return mount.kind === "file" ? mount.sha256 : mount.packs.map(pack => pack.sha256);
}
