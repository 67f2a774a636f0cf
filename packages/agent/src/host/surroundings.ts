/** The only reader of the agent's own environment: what of it a job may see, and the tools of the machine. */
import { userInfo } from "node:os";
import { type Account, account } from "./account.ts";
import { find } from "./gpus.ts";

const USUAL = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface Surroundings {
  readonly path: string;
  readonly bash: string;
  readonly smi: string | undefined;
  /** Whose name jobs run under. */
  readonly user: string;
  /** Of that user, when jobs were told to run under a name. */
  readonly account: Account | undefined;
  readonly lang: string | undefined;
  /** What Docker's and Podman's clients need to find their engine. */
  readonly engine: Readonly<Record<string, string>>;
}

const ENGINE =
  /^(HOME|USER|TMPDIR|XDG_.*|DOCKER_(HOST|CONTEXT|TLS.*|CERT_PATH|API_VERSION)|CONTAINER(S)?_.*|SSH_AUTH_SOCK|DBUS_SESSION_BUS_ADDRESS|(HTTPS?|NO)_PROXY)$/i;

/** @throws Error, for people, when jobs cannot run as this user. */
export function look(runAs?: string): Surroundings {
  const path = process.env.PATH || USUAL;
  const bash = find("bash", `/bin:/usr/bin:${path}`) ?? "/bin/bash";
  return {
    path,
    bash,
    smi: find("nvidia-smi", path),
    user: runAs ?? user(),
    account: runAs === undefined ? undefined : account(runAs, path, bash),
    lang: process.env.LANG,
    engine: { ...engine(), PATH: withUsual(path) },
  };
}

/** Tools of the system may be elsewhere than the PATH of whoever started the agent. */
const withUsual = (path: string): string => [...new Set([...path.split(":"), ...USUAL.split(":")])].join(":");

function engine(): Record<string, string> {
  const found = Object.entries(process.env).filter(([name]) => ENGINE.test(name));
  return Object.fromEntries(found.map(([name, value]) => [name, value ?? ""]));
}

/** What every script gets before the task's own variables. */
export function basics(machine: Surroundings, home: string): Record<string, string> {
  return {
    HOME: home,
    USER: machine.user,
    LOGNAME: machine.user,
    SHELL: machine.bash,
    PATH: withOwn(`${home}/.local/bin`, machine.path),
    ...(machine.lang === undefined ? {} : { LANG: machine.lang }),
  };
}

/** Where packages put their programs comes first, and once. */
const withOwn = (folder: string, path: string): string =>
  [folder, ...path.split(":").filter(one => one !== folder)].join(":");

function user(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under an id that has no name.
    return process.env.USER || String(process.getuid?.() ?? "muster");
  }
}
