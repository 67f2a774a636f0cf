/**
 * Images of machines that are processes here: copies of their hosts' HOME, which is all that jobs have written there. What
 * is the agent's own is never copied: tokens, keys, logs, the folders of attempts; nor are files that jobs got as secrets.
 *
 * Gotcha: hosts have their HOME at different paths. Links into it are led on; paths that programs wrote into files are not.
 */
import { mkdir, readdir, readFile, realpath, rename, rm } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import { MusterError } from "@muster/core/error.ts";
import type { Clock, Log } from "@muster/core/ports/ports.ts";
import type { FoundImage, ImageIntent, ImageRef, SavedImage } from "@muster/core/ports/provider.ts";
import { replaceFile } from "../file.ts";
import { copyTree, isWithin, rebased } from "./image-copy.ts";
import { Lanes } from "./lanes.ts";
import type { MachineRecord, Rack } from "./machine.ts";

interface Kept extends FoundImage {
  /** Where the HOME was of which it is a copy, with no link in its path. */
  readonly home: string;
}

/** A name that leads nowhere else. */
const NAME = /^\w+$/;
const PART = ".part";

export interface ImagesOptions {
  /** Folder of the images' folders. */
  readonly folder: string;
  readonly rack: Rack;
  readonly clock: Clock;
  readonly log: Pick<Log, "error">;
}

export class Images {
  readonly #options: ImagesOptions;
  readonly #lanes = new Lanes();

  constructor(options: ImagesOptions) {
    this.#options = options;
  }

  /** @throws MusterError `busy` while the machine is not off; `launch_failed` when it is gone, or cannot be copied. */
  save(intent: ImageIntent): Promise<SavedImage> {
    const { workspace, imageId } = intent;
    return this.#lanes.run(imageId, async () => {
      if ((await this.#find(imageId)) === undefined) {
        const { machineId } = await this.#machineOf(intent);
        const kept = { workspace, imageId, createdAt: this.#options.clock.now() };
        await said("the host's HOME could not be copied", () => this.#keep(kept, machineId));
      }
      return complete(imageId);
    });
  }

  async image({ workspace, imageId }: ImageRef): Promise<SavedImage | undefined> {
    return (await this.#find(imageId))?.workspace === workspace ? complete(imageId) : undefined;
  }

  async list(): Promise<FoundImage[]> {
    const names = await readdir(this.#options.folder).catch(absent([]));
    const found = await Promise.all(names.map(name => this.#find(name)));
    return found.flatMap(kept => kept ?? []);
  }

  remove({ imageId }: ImageRef): Promise<void> {
    return this.#lanes.run(imageId, async () => {
      for (const folder of [this.#at(imageId), `${this.#at(imageId)}${PART}`])
        await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    });
  }

  /** Fills a new machine's HOME. @throws MusterError `launch_failed` when there is no such image. */
  furnish({ workspace, imageId }: ImageRef, disk: string): Promise<void> {
    return this.#lanes.run(imageId, async () => {
      const kept = await this.#find(imageId);
      if (kept?.workspace !== workspace) throw new MusterError("launch_failed", `the image ${imageId} is not there`);
      const home = join(await realpath(disk), "home");
      await rm(home, { recursive: true, force: true });
      await said("the image could not be copied", () =>
        copyTree(join(this.#at(imageId), "home"), home, {
          skips: () => false,
          leads: target =>
            isAbsolute(target) && isWithin(kept.home, target) ? rebased(target, kept.home, home) : target,
        }),
      );
    });
  }

  #at(imageId: string): string {
    return join(this.#options.folder, NAME.test(imageId) ? imageId : "none");
  }

  /** Undefined when it is not there whole. */
  async #find(imageId: string): Promise<Kept | undefined> {
    const path = join(this.#at(imageId), "image.json");
    const text = await readFile(path, "utf8").catch(absent(undefined));
    try {
      return text === undefined ? undefined : parse(imageId, text);
    } catch (error) {
      this.#options.log.error("an image's record cannot be read", { path, reason: String(error) });
      return undefined;
    }
  }

  async #machineOf({ workspace, clusterId, generation, hostId }: ImageIntent): Promise<MachineRecord> {
    const machine = (await this.#options.rack.list()).find(
      one =>
        one.workspace === workspace &&
        one.clusterId === clusterId &&
        one.generation === generation &&
        one.hostId === hostId,
    );
    if (machine === undefined) throw new MusterError("launch_failed", `the machine of ${hostId} is gone`);
    if (machine.power === "off") return machine;
    throw new MusterError("busy", `the machine of ${hostId} is ${machine.power}, and must be off first`);
  }

  /** Beside, and then renamed: an image is there whole or not at all. */
  async #keep(of: FoundImage, machineId: string): Promise<void> {
    const disk = await realpath(this.#options.rack.disk(machineId));
    const kept: Kept = { ...of, home: join(disk, "home") };
    const part = `${this.#at(kept.imageId)}${PART}`;
    const handed = await handedOn(disk);
    await rm(part, { recursive: true, force: true });
    // A host that never ran a job may have none.
    for (const folder of [kept.home, join(part, "home")]) await mkdir(folder, { recursive: true, mode: 0o700 });
    await copyTree(kept.home, join(part, "home"), {
      skips: path => handed.has(path),
      leads: target =>
        isAbsolute(target) && isWithin(disk, target) && !isWithin(kept.home, target) ? undefined : target,
    });
    await replaceFile(join(part, "image.json"), JSON.stringify(kept));
    await rename(part, this.#at(kept.imageId));
  }
}

/** Paths of the files that jobs of this machine got as secrets. */
async function handedOn(disk: string): Promise<ReadonlySet<string>> {
  const text = await readFile(join(disk, "agent", "handed"), "utf8").catch(absent(""));
  const paths = text.split("\0").filter(path => path !== "");
  // A folder of the path may be a link: the file is met where that leads.
  const met = paths.map(async path => join(await realpath(dirname(path)).catch(absent(dirname(path))), basename(path)));
  return new Set([...paths, ...(await Promise.all(met))]);
}

/** A record as it was written. @throws Error for anything else, which a failing disk or a person's hand may leave. */
function parse(imageId: string, text: string): Kept {
  const kept = JSON.parse(text) as Kept | null;
  if (kept?.imageId !== imageId || typeof kept.home !== "string") throw new Error("it is no image's record");
  return kept;
}

const complete = (imageId: string): SavedImage => ({ state: "complete", ref: imageId });

async function said(what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof MusterError) throw error;
    throw new MusterError("launch_failed", `${what}: ${error instanceof Error ? error.message : error}`, {}, error);
  }
}

const absent =
  <T>(instead: T) =>
  (error: NodeJS.ErrnoException): T => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return instead;
    throw error;
  };
