/**
 * Docker or Podman, whichever answers on this host; Docker first.
 *
 * Gotchas: on machines that Muster boots, `docker` may be a stand-in that installs Docker when it is first called, which
 * takes minutes. So a Docker that is slow is waited for, unless there is a Podman.
 */
import { find } from "../host/gpus.ts";
import { type Ended, runProgram } from "../inputs/program.ts";

export interface Engine {
  readonly kind: "docker" | "podman";
  readonly program: string;
  /** Its root is this user: what is written as root inside belongs to the agent's own user outside. */
  readonly isRootless: boolean;
  /** For its client. */
  readonly env: Readonly<Record<string, string>>;
}

/** What keeps a job from its container; the message is for the job's owner. */
export class ContainerError extends Error {}

/** In ms. */
const ANSWERS_WITHIN = 20_000;
const INSTALLED_WITHIN = 600_000;
const COMMAND_LIMIT = 60_000;

type Answer = { readonly engine: Engine } | { readonly problem: string; readonly isSlow: boolean };

/** @throws ContainerError when neither is there, or neither answers */
export async function findEngine(env: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Engine> {
  const path = env.PATH ?? "";
  const docker = find("docker", path);
  const podman = find("podman", path);
  const answers: Answer[] = [];
  if (docker !== undefined) answers.push(await askDocker(docker, env, ANSWERS_WITHIN, signal));
  const [first] = answers;
  if (first !== undefined && "engine" in first) return withEndpoint(first.engine, signal);
  if (podman !== undefined) answers.push(await askPodman(podman, env, signal));
  if (docker !== undefined && podman === undefined && first !== undefined && "isSlow" in first && first.isSlow)
    answers.push(await askDocker(docker, env, INSTALLED_WITHIN, signal));
  signal.throwIfAborted();
  const found = answers.find(answer => "engine" in answer);
  if (found !== undefined) return found.engine;
  throw new ContainerError(problemOf(answers));
}

function problemOf(answers: readonly Answer[]): string {
  const said = answers.flatMap(answer => ("problem" in answer ? answer.problem : []));
  return said.length === 0
    ? "this host has neither Docker nor Podman: install one of them there, or leave container out of the task"
    : `no container can run on this host: ${said.join("; ")}. Start it there, or leave container out of the task`;
}

async function askDocker(
  program: string,
  env: Readonly<Record<string, string>>,
  limit: number,
  signal: AbortSignal,
): Promise<Answer> {
  const command = [program, "info", "--format", "{{.ServerVersion}} {{json .SecurityOptions}}"];
  const ended = await runWithin({ command, env }, limit, signal);
  if (ended.code !== 0 || !/^\d/.test(ended.output)) return failed("Docker", ended);
  // Both map root to somebody else, who owns the files that the engine's root could write.
  const isRootless = /name=rootless/.test(ended.output);
  return { engine: { kind: "docker", program, isRootless, env } };
}

async function askPodman(program: string, env: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Answer> {
  const command = [program, "info", "--format", "{{.Version.Version}} {{.Host.Security.Rootless}}"];
  const ended = await runWithin({ command, env }, ANSWERS_WITHIN, signal);
  if (ended.code !== 0 || !/^\d/.test(ended.output)) return failed("Podman", ended);
  return { engine: { kind: "podman", program, isRootless: ended.output.endsWith("true"), env } };
}

function failed(name: string, { code, said, isLate }: Ended & { readonly isLate: boolean }): Answer {
  if (isLate) return { problem: `${name} does not answer`, isSlow: true };
  return { problem: `${name} does not answer (${lastLine(said) || `it ended with ${code}`})`, isSlow: false };
}

/** The attempt's own configuration of the client names no endpoint, and the usual one may not be the host's. */
async function withEndpoint(engine: Engine, signal: AbortSignal): Promise<Engine> {
  if (engine.env.DOCKER_HOST !== undefined) return engine;
  const { code, output } = await command(
    engine,
    ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"],
    signal,
  );
  if (code !== 0 || !/^(unix|tcp|npipe|ssh):\/\/\S+$/.test(output)) return engine;
  return { ...engine, env: { ...engine.env, DOCKER_HOST: output } };
}

/** One command of the client, which should be over soon. Never rejects. */
export const command = (
  { program, env }: Engine,
  words: readonly string[],
  signal?: AbortSignal,
  limit = COMMAND_LIMIT,
): Promise<Ended & { readonly isLate: boolean }> => runWithin({ command: [program, ...words], env }, limit, signal);

async function runWithin(
  program: Parameters<typeof runProgram>[0],
  limit: number,
  signal?: AbortSignal,
): Promise<Ended & { readonly isLate: boolean }> {
  const late = AbortSignal.timeout(limit);
  const ended = await runProgram(program, signal === undefined ? late : AbortSignal.any([signal, late]));
  return { ...ended, isLate: late.aborted && ended.code === undefined };
}

/** What a tool says last is most often why it failed. */
export function lastLine(said: string): string {
  const lines = said.split("\n").flatMap(line => (line.trim() === "" ? [] : [line.trim()]));
  const noise = /^(See 'docker|Run 'docker|time=|\[sudo])/;
  const telling = lines.filter(line => !noise.test(line));
  return (telling.findLast(line => /error|denied|cannot|no space|unknown/i.test(line)) ?? telling.at(-1) ?? "").slice(
    0,
    600,
  );
}
