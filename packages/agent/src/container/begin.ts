/** Making an attempt's container: which engine, who may pull, what is seen inside. */
import { appendFileSync, chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { isAbsolute, join, normalize } from "node:path";
import { messageOf } from "../disk.ts";
import { indices } from "../host/gpus.ts";
import type { Surroundings } from "../host/surroundings.ts";
import { makeFolder } from "../inputs/folder.ts";
import type { Places } from "../inputs/inputs.ts";
import { placeOf } from "../inputs/place.ts";
import type { Script } from "../script/execute.ts";
import { MARKER } from "../script/processes.ts";
import type { Assignment } from "../types.ts";
import { type Container, type Containers, LABEL, OWNER, ownerName, sudoOf } from "./containers.ts";
import { ContainerError, type Engine, findEngine, lastLine } from "./engine.ts";
import { type Pull, pullOf } from "./login.ts";
import { type Inside as InsideOptions, optionsOf } from "./options.ts";
import { KEEPER, START, SUDO } from "./texts.ts";

export interface Beginning {
  readonly assignment: Assignment;
  readonly places: Places;
  readonly machine: Surroundings;
  readonly containers: Containers;
}

/** What only the container's own scripts and the agent share. */
export const insideOf = (folder: string): string => join(folder, "in");
/** The configuration of the engine's client, with what it was told of a registry. */
export const registryOf = (folder: string): string => join(folder, "registry");

/**
 * The script that makes the container. Safe to do again, until the script has begun.
 * @throws ContainerError when there is nothing to make it with, or nobody to pull its image
 */
export async function beginning(begin: Beginning, signal: AbortSignal): Promise<Script> {
  const { assignment, places, machine, containers } = begin;
  const wanted = assignment.container;
  if (wanted === undefined) throw new ContainerError("the task names no container");
  const waiting = (): void => say(places.folder, "Docker is being installed on this host, which takes some minutes");
  const engine = await findEngine({ env: machine.engine, signal, waiting });
  await containers.sweep(engine);
  const pull = await pullOf(wanted.image, assignment.env, signal);
  signal.throwIfAborted();
  const paths = pathsOf(assignment, places);
  for (const path of paths.made) await made(path, places);
  const user = userOf(wanted.options);
  folders(places.folder, user);
  const hasGpus = await seesGpus(assignment, machine, signal);
  const inside = insideOf(places.folder);
  const own = [...paths.own, inside];
  const container = { attempt: places.attempt, name: nameOf(assignment), engine, own, ...ownerOf(engine, machine) };
  containers.add(container);
  return scriptOf(begin, container, pull, { paths: [...paths.all, inside], hasGpus });
}

/** A machine without GPUs may have their tools, when its image has them. */
async function seesGpus({ gpus = [] }: Assignment, { smi }: Surroundings, signal: AbortSignal): Promise<boolean> {
  if (gpus.length > 0 || smi === undefined) return gpus.length > 0;
  const { found = [] } = await indices(smi, signal);
  return found.length > 0;
}

function scriptOf(
  { assignment, places, machine }: Beginning,
  { engine, name }: Container,
  pull: Pull,
  seen: Pick<InsideOptions, "paths" | "hasGpus">,
): Script {
  const { login, image } = pull;
  const config = registryOf(places.folder);
  const options = optionsOf(engine, {
    ...seen,
    workdir: places.workdir,
    labels: { [LABEL]: places.folder, [OWNER]: ownerName() },
    gpus: assignment.gpus,
    options: assignment.container?.options ?? [],
  });
  const log = logOf(places.folder);
  const args = [engine.program, engine.kind, name, image, login?.server ?? "", login?.user ?? "", KEEPER, log];
  return {
    folder: places.folder,
    phase: "container",
    text: START,
    args: [...args, ...options],
    bash: machine.bash,
    owner: undefined,
    cwd: places.folder,
    env: {
      ...engine.env,
      DOCKER_CONFIG: config,
      REGISTRY_AUTH_FILE: join(config, "config.json"),
      MUSTER_REGISTRY_PASSWORD: login?.password ?? "",
      [MARKER]: places.folder,
    },
    grace: assignment.grace,
  };
}

/** Images come in the part of the log in which packages do. */
const logOf = (folder: string): string => join(folder, "out", "packages.log");

const say = (folder: string, text: string): void => appendFileSync(logOf(folder), `container: ${text}\n`);

/** Hosts of one machine share its engine: the rank tells their containers apart. */
const nameOf = ({ jobId, fence, rank }: Assignment): string => `muster-${jobId}-${fence}-${rank}`;

/** Root inside is root outside, unless the engine has a root of its own; what it writes must become the user's. */
function ownerOf({ isRootless }: Engine, { account }: Surroundings): Pick<Container, "owner"> {
  const uid = account?.uid ?? process.getuid?.() ?? 0;
  const gid = account?.gid ?? process.getgid?.() ?? 0;
  return isRootless || uid === 0 || process.platform !== "linux" ? {} : { owner: { uid, gid } };
}

/** Only root reads what is another's alone. */
export const userOf = (options: readonly string[]): boolean => options.some(word => /^(-u|--user(=|$))/.test(word));

function folders(folder: string, isOpen: boolean): void {
  const inside = insideOf(folder);
  mkdirSync(join(inside, "bin"), { recursive: true, mode: 0o755 });
  if (isOpen) chmodSync(inside, 0o777);
  writeFileSync(sudoOf(inside), SUDO, { mode: 0o755 });
  mkdirSync(registryOf(folder), { recursive: true, mode: 0o700 });
  // Podman wants the file to be there.
  writeFileSync(join(registryOf(folder), "config.json"), "{}", { mode: 0o600 });
}

interface Paths {
  readonly all: readonly string[];
  /** Without buckets, whose files are whoever's the mount says. */
  readonly own: readonly string[];
  /** Those that the job itself fills. */
  readonly made: readonly string[];
}

/** HOME, in which the workdir is, and what lies elsewhere. */
function pathsOf(assignment: Assignment, { home, workdir, env }: Places): Paths {
  const { mounts, secretFiles, outputs, checkpoint } = assignment;
  const place = (path: string): string => placeOf(path, home, workdir);
  const brought = [...mounts, ...secretFiles].map(({ path }) => place(path));
  const places = [...(outputs?.places ?? []), ...(checkpoint === undefined ? [] : [checkpoint.path])];
  const made = places.filter(path => isAbsolute(path)).map(path => withoutPattern(normalize(path)));
  // What the checkpoint's place leads to.
  const kept = env.MUSTER_CHECKPOINT_DIR ?? home;
  const outside = [...new Set([...brought, kept, ...made])].filter(path => !isIn(path, home));
  if (outside.includes("/"))
    throw new ContainerError("what is at / on the host cannot be at / in a container: name a folder");
  const buckets = mounts.flatMap(mount => (mount.kind === "bucket" ? place(mount.path) : []));
  const own = outside.filter(path => !buckets.includes(path));
  return { all: [home, ...outside], own: [home, ...own], made: made.filter(path => !isIn(path, home)) };
}

const isIn = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** The folder above the first name that stands for several. */
function withoutPattern(path: string): string {
  const parts = path.split("/");
  const first = parts.findIndex(part => /[*?[{]/.test(part));
  return first < 0 ? path : parts.slice(0, first).join("/") || "/";
}

async function made(path: string, { owner }: Places): Promise<void> {
  try {
    await makeFolder(path, owner);
  } catch (error) {
    throw new ContainerError(`${path} cannot be made on the host: ${messageOf(error)}`);
  }
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /could not select device driver|unresolvable CDI|nvidia\.com\/gpu/i,
    "the host lacks the NVIDIA Container Toolkit, which gives containers their GPUs",
  ],
  [/no space left/i, "the host's disk is full: ask for a larger disk_size"],
  [/exec(utable)?[: ].*"?sh"?.*(not found|no such file)/i, "the image has no sh, in which jobs run"],
  [
    /denied|unauthorized|no basic auth|authentication required|requires? .*login|invalid username\/password/i,
    "is its name right? If it is private, give MUSTER_REGISTRY_USERNAME and MUSTER_REGISTRY_PASSWORD, or AWS credentials for ECR, among the job's secrets",
  ],
  [/exec format error|no matching manifest/i, "the image is not made for this host's processor"],
];

/** What the script left behind about its failure: the step, then the end of what the tool said. */
export function failureOf(said: string): string {
  const [step = "", ...rest] = said.split("\n");
  const reason = lastLine(rest.join("\n"));
  const hint = HINTS.find(([form]) => form.test(rest.join("\n")))?.[1];
  return [step || "the container could not be made", reason, hint].filter(part => part).join(": ");
}
