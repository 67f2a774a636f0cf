/** A script in an attempt's container: how it is sent there, and what became of it. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Ending, Script } from "../script/execute.ts";
import { MARKER } from "../script/processes.ts";
import type { ScriptPhase } from "../script/texts.ts";
import { codeIn } from "../script/watch.ts";
import type { Assignment } from "../types.ts";
import { insideOf, userOf } from "./begin.ts";
import type { Container, Containers } from "./containers.ts";
import { command } from "./engine.ts";
import { visibleGpus } from "./options.ts";
import { exportsOf, INSIDE, SEND } from "./texts.ts";

/** Of the machine's, not of the image's. */
const OF_THE_HOST = ["PATH", "SHELL", "LANG", "USER", "LOGNAME"];

/** The same script, as it is sent into the container. */
export function sent(script: Script, assignment: Assignment, container: Container, containers: Containers): Script {
  const { folder, phase, cwd, args = [], grace } = script;
  const { engine, name, attempt } = container;
  const inside = insideOf(folder);
  return {
    ...script,
    text: SEND,
    args: [engine.program, "exec", `--workdir=${cwd}`, name, "sh", "-c", INSIDE, "muster", inside, phase, ...args],
    owner: undefined,
    cwd: folder,
    env: { ...engine.env, [MARKER]: folder },
    inside: {
      prepare: () => write(script, assignment),
      code: () => codeOf(folder, phase),
      end: async seconds => containers.end(attempt, Math.min(seconds, grace)),
    },
  };
}

function write({ folder, phase, text, env }: Script, assignment: Assignment): void {
  const isOpen = userOf(assignment.container?.options ?? []);
  const inside = insideOf(folder);
  const put = (name: string, content: string): void => {
    writeFileSync(join(inside, name), content, { mode: 0o600 });
    if (isOpen) chmodSync(join(inside, name), 0o666);
  };
  put(`${phase}.sh`, text);
  put(`${phase}.sh.failed`, "");
  put(`${phase}.env`, exportsOf(variablesOf(env, assignment, isOpen)));
}

function variablesOf(env: Script["env"], assignment: Assignment, hasUser: boolean): Record<string, string> {
  const own = Object.entries(env).filter(
    ([name]) => name !== MARKER && (name in assignment.env || !OF_THE_HOST.includes(name)),
  );
  const root = hasUser ? {} : { USER: "root", LOGNAME: "root" };
  return { ...root, ...Object.fromEntries(own), ...visibleGpus(assignment) };
}

/** What the script's shell has noted inside; the client's own exit code may be about anything. */
export const codeOf = (folder: string, phase: ScriptPhase): number | undefined =>
  codeIn(join(insideOf(folder), `${phase}.code`));

/** How the script ended, told apart from how its container did. */
export async function judged(ending: Ending, script: Script, { engine, name }: Container): Promise<Ending> {
  if (ending.kind !== "exited" && ending.kind !== "stopped") return ending;
  const code = codeOf(script.folder, script.phase);
  if (code !== undefined) return { ...ending, code };
  if (ending.kind === "stopped") return ending;
  const format = "{{.State.Running}} {{.State.OOMKilled}} {{.State.ExitCode}} {{.State.Error}}";
  const { code: known, output } = await command(engine, ["inspect", "--type=container", "--format", format, name]);
  return { kind: "unstarted", cause: "container_failed", message: lossOf(known === 0 ? output : undefined) };
}

function lossOf(state: string | undefined): string {
  if (state === undefined) return "The container is gone: somebody removed it while the job ran in it.";
  const [running, oom, code, ...error] = state.split(" ");
  if (running === "true") return "The script could not be run in the container; the end of the log says why.";
  if (oom === "true") return "The container ran out of memory and was ended while the job ran in it.";
  return `The container ended while the job ran in it (exit code ${code})${error.length > 0 && error[0] ? `: ${error.join(" ")}` : "."}`;
}
