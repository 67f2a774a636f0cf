/**
 * Open sessions of people, as the process table shows them.
 *
 * OpenSSH puts them into a title: `session_proctitle` of its session.c writes `<user>@<ttys>`, the terminals with commas
 * between them or `notty`, behind the program's name and a colon; that is `sshd: ada@pts/0`, and since 9.8, where sessions
 * have a program of their own, `sshd-session: ada@pts/0`. The parent's title is `<user> [priv]`. The agent of AWS's session
 * service starts one `ssm-session-worker` for each session, a shell or a port (`DefaultSessionWorker` in its
 * appconfig/constants_unix.go).
 *
 * Any job may call itself that, and would keep its machine for ever: a session counts when it is root's, or a child of an
 * sshd of root's, which gives up its rights for the user's part. Whoever is root there may keep the machine anyway.
 *
 * What has no terminal is not counted, such as copies of files and `ssh -N`; nor is what goes on without its session: tmux,
 * screen, mosh.
 */
import { closeSync, openSync, readdirSync, readSync } from "node:fs";

const SSHD: ReadonlySet<string> = new Set(["sshd", "sshd-session"]);
/** The kernel keeps fifteen characters of a program's name. */
const SSM = "ssm-session-worker".slice(0, 15);

/** How many there are; 0 where there is no /proc. */
export function sessions(proc = "/proc"): number {
  return pids(proc).reduce((sum, pid) => sum + sessionsOf(proc, pid), 0);
}

function pids(proc: string): string[] {
  try {
    return readdirSync(proc).filter(name => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

/** Only of few processes more than the name is asked: to read a title, the kernel looks into their memory. */
function sessionsOf(proc: string, pid: string): number {
  const name = nameOf(proc, pid);
  if (name === SSM) return whoIs(proc, pid).isRoots ? 1 : 0;
  if (!SSHD.has(name)) return 0;
  const { isRoots, parent } = whoIs(proc, pid);
  if (!isRoots && !(SSHD.has(nameOf(proc, parent)) && whoIs(proc, parent).isRoots)) return 0;
  return terminals(slurp(`${proc}/${pid}/cmdline`));
}

const nameOf = (proc: string, pid: string): string => slurp(`${proc}/${pid}/comm`).trimEnd();

/** The real user decides: programs that lend root's rights can be called by any name. */
function whoIs(proc: string, pid: string): { readonly isRoots: boolean; readonly parent: string } {
  const status = slurp(`${proc}/${pid}/status`);
  return { isRoots: /^Uid:\t0\t/m.test(status), parent: /^PPid:\t(\d+)$/m.exec(status)?.[1] ?? "" };
}

function terminals(title: string): number {
  const [said = ""] = title.split("\0");
  if (!/^sshd(-session)?: /.test(said)) return 0;
  // A user's name may have a sign like that of its own.
  const ttys = said.slice(said.lastIndexOf("@") + 1).split(",");
  return ttys.filter(tty => /^(pts\/|tty)/.test(tty)).length;
}

/** The next call writes over it. */
const scratch = Buffer.alloc(2_048);

/** Empty when the process is gone, or is not ours to look at. */
function slurp(path: string): string {
  try {
    const file = openSync(path, "r");
    try {
      return scratch.toString("latin1", 0, readSync(file, scratch));
    } finally {
      closeSync(file);
    }
  } catch {
    return "";
  }
}
