/** The options of `run` for one attempt's container: what it sees of the host, and what it may use. */
import { readText } from "../disk.ts";
import type { Assignment } from "../types.ts";
import type { Engine } from "./engine.ts";

export interface Inside {
  /** Paths that are the same inside. */
  readonly paths: readonly string[];
  readonly workdir: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The host's GPUs that are the job's, by their numbers; undefined: all. */
  readonly gpus: readonly number[] | undefined;
  readonly hasGpus: boolean;
  /** The task's own. */
  readonly options: readonly string[];
}

/** Without the image, and what runs in it. */
export function optionsOf(engine: Pick<Engine, "kind">, inside: Inside): string[] {
  const { options, workdir } = inside;
  const unless = (own: RegExp, ...ours: string[]): string[] => (options.some(word => own.test(word)) ? [] : ours);
  return [
    ...Object.entries(inside.labels).flatMap(([name, value]) => ["--label", `${name}=${value}`]),
    "--entrypoint=sh",
    `--workdir=${workdir}`,
    // Nodes find each other by the hosts' addresses; frameworks share memory between their processes.
    ...unless(/^--net(work)?(=|$)/, "--network=host"),
    ...unless(/^--(ipc|shm-size)(=|$)/, "--ipc=host"),
    // Files of the host's, as they are: no other labels for SELinux.
    ...unless(/^--security-opt=?.*label/, "--security-opt=label=disable"),
    // In it are many who must be able to see and end one another, and nobody is to outlive it.
    ...unless(/^(-u|--user)(=|$)/, "--user=0:0"),
    ...inside.paths.flatMap(path => ["--mount", bindOf(path)]),
    ...gpusOf(engine, inside),
    ...options,
  ];
}

/** Where the host's mounts come and go for those who share them, they do so inside: a bucket that is taken away is gone. */
function bindOf(path: string): string {
  const fields = [
    "type=bind",
    `source=${path}`,
    `target=${path}`,
    ...(isShared(path) ? ["bind-propagation=rslave"] : []),
  ];
  return fields.map(field => (/[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(",");
}

/** Whether what is mounted there, or above, is shared with others, or follows them (proc(5), mountinfo's optional fields). */
export function isShared(path: string, mounts = readText("/proc/self/mountinfo") ?? ""): boolean {
  const above = mounts.split("\n").flatMap(line => {
    const [, , , , place = "", , ...rest] = line.split(" ");
    const covers = place === "/" || path === place || path.startsWith(`${place}/`);
    return place !== "" && covers ? { place, tags: rest.slice(0, rest.indexOf("-")) } : [];
  });
  // Of several at one place the last one is on top.
  const longest = above.reduce((best, one) => (one.place.length >= best.place.length ? one : best), {
    place: "",
    tags: [""],
  });
  return longest.tags.some(tag => /^(shared|master):/.test(tag));
}

/**
 * Docker's `--gpus` wants quotes of its own round a list; Podman knows GPUs as devices of the Container Device Interface.
 * (https://docs.docker.com/engine/containers/gpu/, https://github.com/cncf-tags/container-device-interface)
 */
function gpusOf({ kind }: Pick<Engine, "kind">, { gpus, hasGpus }: Inside): string[] {
  if (!hasGpus) return [];
  // An image may ask for all of them, where the host's own runtime listens to it.
  if (gpus?.length === 0) return ["--env=NVIDIA_VISIBLE_DEVICES=void"];
  if (kind === "podman") return (gpus ?? ["all"]).map(gpu => `--device=nvidia.com/gpu=${gpu}`);
  return ["--gpus", gpus === undefined ? "all" : `"device=${gpus.join(",")}"`];
}

/** Inside, the GPUs that are there are counted from 0. */
export function visibleGpus({ gpus, env }: Pick<Assignment, "gpus" | "env">): Record<string, string> {
  if (gpus === undefined || env.CUDA_VISIBLE_DEVICES !== gpus.join(",")) return {};
  return { CUDA_VISIBLE_DEVICES: gpus.map((_, index) => index).join(",") };
}
