/** Bringing a job's artifacts to a folder of this machine. */
import { readlink, rm, symlink } from "node:fs/promises";
import { resolve } from "node:path";
import type { Client } from "@muster/api/client.ts";
import { MusterError } from "@muster/core/error.ts";
import type { Artifact, Node, Page } from "@muster/core/output/output.ts";
import { plural, bytes as sizeText } from "../format.ts";
import type { Output } from "../output.ts";
import { step } from "../progress.ts";
import { fetchTo, hashOf } from "./fetch.ts";
import { join, look, makeFolders, type Segments, segmentsOf, shown, staysInside } from "./place.ts";

const AT_ONCE = 8;

export interface Choice {
  readonly checkpoint: boolean;
  readonly rank?: number | undefined;
  readonly attempt?: number | undefined;
  /** As it was typed. */
  readonly pattern?: string | undefined;
  readonly matches: (path: string) => boolean;
}

export interface Means {
  readonly out: Output;
  readonly client: Client;
  readonly signal: AbortSignal;
}

/** One page of what a job has kept. */
export function pageOf(
  { client, signal }: Means,
  job: string,
  choice: Choice,
  cursor: string | undefined,
): Promise<Page> {
  const { checkpoint, rank, attempt } = choice;
  const query = {
    checkpoint: checkpoint ? ("true" as const) : ("false" as const),
    ...(rank !== undefined && { rank }),
    ...(attempt !== undefined && { attempt }),
    ...(cursor !== undefined && { cursor }),
  };
  return client.artifacts.list({ params: { job }, query }, { signal });
}

/** Every page, with the cursor that it was asked for by. */
export async function* pages(
  means: Means,
  job: string,
  choice: Choice,
): AsyncGenerator<{ readonly page: Page; readonly cursor: string | undefined }> {
  let cursor: string | undefined;
  do {
    const page = await pageOf(means, job, choice, cursor);
    yield { page, cursor };
    cursor = page.cursor;
  } while (cursor !== undefined);
}

export interface Plan {
  readonly files: number;
  readonly bytes: number;
  /** Here already, byte for byte. */
  readonly here: ReadonlySet<string>;
  /** Files of this machine that would be replaced. */
  readonly replaced: readonly string[];
  readonly nodes: readonly Node[];
}

export interface Target {
  readonly root: Buffer;
  /** Whether each rank has a folder of its own. */
  readonly byRank: boolean;
}

export const targetOf = (cwd: string, folder: string, byRank: boolean): Target => ({
  root: Buffer.from(resolve(cwd, folder)),
  byRank,
});

/**
 * Looks at what there is, there and here; changes nothing.
 * @throws MusterError `invalid_request` for a path that would lead out of the folder, `conflict` for a folder where a file is to be
 */
export async function plan(means: Means, job: string, choice: Choice, target: Target): Promise<Plan> {
  const here = new Set<string>();
  const replaced: string[] = [];
  const nodes: Node[] = [];
  const sum = { files: 0, bytes: 0 };
  using progress = step(means.out, "artifacts");
  for await (const { page } of pages(means, job, choice)) {
    nodes.push(...page.nodes);
    for (const artifact of page.items.filter(one => choice.matches(one.path))) {
      const segments = placeOf(artifact, target);
      sum.files++;
      const found = await compared(join(target.root, ...segments), artifact);
      if (found === "same") here.add(nameOf(artifact));
      else sum.bytes += artifact.size;
      if (found === "other") replaced.push(shown({ path: segments.map(String).join("/") }));
    }
    progress.show(`looking: ${plural(sum.files, "file")}`);
  }
  progress.clear();
  return { ...sum, here, replaced, nodes };
}

function placeOf(artifact: Artifact, { byRank }: Target): Segments {
  const segments = segmentsOf(artifact);
  return byRank ? [Buffer.from(`rank-${artifact.rank}`), ...segments] : segments;
}

const nameOf = ({ rank, path, pathBytes }: Artifact): string => `${rank}/${pathBytes ?? ""}/${path}`;

async function compared(path: Buffer, artifact: Artifact): Promise<"absent" | "same" | "other"> {
  const found = await look(path);
  if (found === undefined) return "absent";
  if (found.isDirectory()) throw inTheWay(path);
  if (artifact.link !== undefined)
    return found.isSymbolicLink() && (await readlink(path)) === artifact.link ? "same" : "other";
  if (!found.isFile() || found.size !== artifact.size) return "other";
  return (await hashOf(path)) === artifact.sha256 ? "same" : "other";
}

const inTheWay = (path: Buffer): MusterError =>
  new MusterError("conflict", `${shown({ path: path.toString() })} is a folder, where the job has kept a file`, {
    hint: "move it away, or name another folder with -o",
  });

export interface Got {
  readonly files: number;
  readonly bytes: number;
  readonly links: number;
  readonly leftOut: readonly string[];
}

/** Fetches what the plan does not find here. */
export async function get(means: Means, job: string, choice: Choice, target: Target, planned: Plan): Promise<Got> {
  const work = new Work(means, target, planned);
  for await (const { page, cursor } of pages(means, job, choice))
    await work.page(page, () => pageOf(means, job, choice, cursor), choice.matches);
  return work.got();
}

class Work {
  readonly #means: Means;
  readonly #target: Target;
  readonly #plan: Plan;
  readonly #known = new Set<string>();
  readonly #leftOut: string[] = [];
  readonly #progress: ReturnType<typeof step>;
  #files = 0;
  #bytes = 0;
  #links = 0;

  constructor(means: Means, target: Target, planned: Plan) {
    this.#means = means;
    this.#target = target;
    this.#plan = planned;
    this.#progress = step(means.out, "artifacts");
  }

  got(): Got {
    this.#progress.done(`${plural(this.#files, "file")}, ${sizeText(this.#bytes)}`);
    return { files: this.#files, bytes: this.#bytes, links: this.#links, leftOut: this.#leftOut };
  }

  async page(page: Page, again: () => Promise<Page>, matches: Choice["matches"]): Promise<void> {
    const current = { page };
    const wanted = page.items.filter(one => matches(one.path) && !this.#plan.here.has(nameOf(one)));
    const fetched = wanted.filter(one => one.link === undefined);
    const refresh = async (): Promise<void> => {
      current.page = await again();
    };
    try {
      await inParallel(fetched, artifact => this.#file(artifact, () => current.page, refresh));
      for (const artifact of wanted) if (artifact.link !== undefined) await this.#link(artifact, artifact.link);
    } catch (error) {
      this.#progress.clear();
      throw error;
    }
  }

  async #file(artifact: Artifact, page: () => Page, again: () => Promise<void>): Promise<void> {
    const { root } = this.#target;
    const segments = placeOf(artifact, this.#target);
    await makeFolders(root, segments, this.#known);
    const now = (): Artifact => page().items.find(one => nameOf(one) === nameOf(artifact)) ?? artifact;
    const onProgress = (bytes: number): void => {
      this.#bytes += bytes;
      this.#progress.show(`${this.#files} of ${plural(this.#plan.files, "file")}, ${sizeText(this.#bytes)}`);
    };
    await fetchTo(root, segments, { now, again, onProgress, signal: this.#means.signal });
    this.#files++;
  }

  async #link(artifact: Artifact, target: string): Promise<void> {
    const segments = placeOf(artifact, this.#target);
    if (!staysInside(segments, target)) return void this.#leftOut.push(shown(artifact));
    await makeFolders(this.#target.root, segments, this.#known);
    const path = join(this.#target.root, ...segments);
    await rm(path, { force: true });
    await symlink(target, path);
    this.#links++;
  }
}

/** What fails first is thrown when all that was begun has ended. */
async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const problems: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const item of left) {
      if (problems.length > 0) return;
      await work(item).catch((error: unknown) => problems.push(error));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (problems.length > 0) throw problems[0];
}
