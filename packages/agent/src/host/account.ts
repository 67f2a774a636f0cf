/**
 * Whose name jobs run under, when it is not the agent's own. It is not a wall: a job may become root where its user may, and
 * its variables reach programs that run as root on its behalf.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, lchownSync } from "node:fs";
import type { Home } from "../home.ts";
import { find } from "./gpus.ts";

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  /** What goes before a job's command. */
  readonly as: readonly string[];
  /** What goes before any other command that runs as the user. */
  readonly plain: readonly string[];
  /** What goes before a command that writes anywhere, as the agent would, but files that belong to the user. */
  readonly asOwner: readonly string[];
}

/**
 * In bash, before the user's own: the pipe to the log becomes the user's, since scripts open /dev/stderr anew; and the
 * kernel may end the job for want of memory, however well the agent is protected.
 */
const PREPARE = `{ PATH=/usr/sbin:/usr/bin:/sbin:/bin chown "$1" /proc/self/fd/1; echo 0 >/proc/self/oom_score_adj; } 2>/dev/null; shift; exec "$@"`;

/** @throws Error, for people, when jobs cannot run under this name. */
export function account(name: string, path: string, bash: string): Account {
  const { uid, gid, home } = lookUp(name);
  const own = process.getuid?.();
  if (own === uid) return { name, uid, gid, home, as: [], plain: [], asOwner: [] };
  if (own !== 0) throw new Error(`--run-as ${name}: only root can run jobs under another name`);
  const setpriv = find("setpriv", `${path}:/usr/bin:/bin`);
  if (setpriv === undefined) throw new Error(`--run-as ${name}: there is no setpriv (of util-linux) on this machine`);
  const change = [setpriv, `--reuid=${uid}`, `--regid=${gid}`, "--init-groups"];
  const rights = "+dac_override,+fowner";
  return {
    name,
    uid,
    gid,
    home,
    as: [bash, "-pc", PREPARE, "as", String(uid), ...change, "--"],
    plain: [...change, "--"],
    asOwner: [...change, `--inh-caps=${rights}`, `--ambient-caps=${rights}`, "--"],
  };
}

function lookUp(name: string): Pick<Account, "uid" | "gid" | "home"> {
  const [, , uid, gid, , home] = passwd(name).split(":");
  if (uid === undefined || gid === undefined || !home) throw new Error(`--run-as ${name}: there is no such user`);
  return { uid: Number(uid), gid: Number(gid), home };
}

function passwd(name: string): string {
  try {
    return execFileSync("getent", ["passwd", name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch (error) {
    // 2: there is none. Anything else is no answer at all.
    if (error instanceof Error && "status" in error && error.status === 2) return "";
    throw new Error(`--run-as ${name}: the users of this machine cannot be read`, { cause: error });
  }
}

/** Jobs find their scripts below the agent's folders, and can list none of them. */
export function admit({ as }: Pick<Account, "as">, ...folders: string[]): void {
  if (as.length > 0) for (const folder of folders) chmodSync(folder, 0o711);
}

/** @throws Error, for people, when the user cannot get to the scripts of jobs. */
export function mustReach({ name, plain: [program, ...change] }: Account, home: Home): void {
  if (program === undefined) return;
  try {
    execFileSync(program, [...change, "test", "-x", home.attempts]);
  } catch {
    throw new Error(`--run-as ${name}: ${name} cannot get to ${home.attempts}; take a home that everybody may enter`);
  }
}

/** Gives a file, or a link itself, to the user. */
export function give(owner: Account | undefined, path: string, isLink = false): void {
  if (owner === undefined || owner.as.length === 0) return;
  const change = isLink ? lchownSync : chownSync;
  change(path, owner.uid, owner.gid);
}
