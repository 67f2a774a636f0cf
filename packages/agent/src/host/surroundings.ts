/** The only reader of the agent's own environment: what of it a job may see, and the tools of the machine. */
import { userInfo } from "node:os";
import { find } from "./gpus.ts";

const USUAL = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface Surroundings {
  readonly path: string;
  readonly bash: string;
  readonly smi: string | undefined;
  readonly user: string;
  readonly lang: string | undefined;
}

export function look(): Surroundings {
  const path = process.env.PATH || USUAL;
  return {
    path,
    bash: find("bash", `/bin:/usr/bin:${path}`) ?? "/bin/bash",
    smi: find("nvidia-smi", path),
    user: user(),
    lang: process.env.LANG,
  };
}

/** What every script gets before the task's own variables. */
export function basics(machine: Surroundings, home: string): Record<string, string> {
  return {
    HOME: home,
    USER: machine.user,
    LOGNAME: machine.user,
    SHELL: machine.bash,
    PATH: `${home}/.local/bin:${machine.path}`,
    ...(machine.lang === undefined ? {} : { LANG: machine.lang }),
  };
}

function user(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under an id that has no name.
    return process.env.USER || String(process.getuid?.() ?? "muster");
  }
}
