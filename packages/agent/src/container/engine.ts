/**
 * Docker or Podman, whichever answers on this host; Docker first.
 *
 * Gotchas: on machines that Muster boots, `docker` may be a stand-in that installs Docker when it is first called, which
 * takes minutes; to end it on the way would leave the machine's packages broken. It is a link to a program called `tool`.
 */
import { once } from "node:events";
import { realpathSync } from "node:fs";
import { basename } from "node:path";
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
const SLOW = 3_000;
const COMMAND_LIMIT = 60_000;

type Answer = { readonly engine: Engine } | { readonly problem: string };

export interface Asking {
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Called when it will take minutes. */
  readonly waiting: () => void;
}

/** @throws ContainerError when neither is there, or neither answers */
export async function findEngine(asking: Asking): Promise<Engine> {
  const { env, signal } = asking;
  const docker = find("docker", env.PATH ?? "");
  const first = docker === undefined ? undefined : await askDocker(docker, asking);
  signal.throwIfAborted();
  if (first !== undefined && "engine" in first) return withEndpoint(first.engine, signal);
  const podman = find("podman", env.PATH ?? "");
  const second = podman === undefined ? undefined : await askPodman(podman, asking);
  signal.throwIfAborted();
  if (second !== undefined && "engine" in second) return second.engine;
  throw new ContainerError(problemOf([first, second].filter(answer => answer !== undefined)));
}

function problemOf(answers: readonly Answer[]): string {
  const said = answers.flatMap(answer => ("problem" in answer ? answer.problem : []));
  return said.length === 0
    ? "this host has neither Docker nor Podman: install one of them there, or leave container out of the task"
    : `no container can run on this host: ${said.join("; ")}. Start it there, or leave container out of the task`;
}

async function askDocker(program: string, { env, signal, waiting }: Asking): Promise<Answer> {
  const command = [program, "info", "--format", "{{.ServerVersion}} {{json .SecurityOptions}}"];
  const isStandIn = basename(realpathSync(program)) === "tool";
  const ended = isStandIn
    ? await unlessAborted(patiently(runWithin({ command, env }, INSTALLED_WITHIN), waiting), signal)
    : await runWithin({ command, env }, ANSWERS_WITHIN, signal);
  if (ended.code !== 0 || !/^\d/.test(ended.output)) return failed("Docker", ended);
  const isRootless = ended.output.includes("name=rootless");
  return { engine: { kind: "docker", program, isRootless, env } };
}

/** What is installed already answers at once. */
async function patiently<T>(work: Promise<T>, waiting: () => void): Promise<T> {
  const timer = setTimeout(waiting, SLOW);
  return work.finally(() => clearTimeout(timer));
}

/** Lets it go on alone. Rejects when the signal aborts. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const over = new AbortController();
  const aborted = once(signal, "abort", { signal: over.signal }).then(() => Promise.reject(signal.reason));
  try {
    signal.throwIfAborted();
    return await Promise.race([work, aborted]);
  } finally {
    aborted.catch(() => undefined);
    over.abort();
  }
}

async function askPodman(program: string, { env, signal }: Asking): Promise<Answer> {
  const command = [program, "info", "--format", "{{.Version.Version}} {{.Host.Security.Rootless}}"];
  const ended = await runWithin({ command, env }, ANSWERS_WITHIN, signal);
  if (ended.code !== 0 || !/^\d/.test(ended.output)) return failed("Podman", ended);
  return { engine: { kind: "podman", program, isRootless: ended.output.endsWith("true"), env } };
}

function failed(name: string, { code, said, isLate }: Ended & { readonly isLate: boolean }): Answer {
  if (isLate) return { problem: `${name} does not answer` };
  return { problem: `${name} does not answer (${lastLine(said) || `it ended with ${code}`})` };
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
