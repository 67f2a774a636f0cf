/** A machine of the local provider: a folder that is its disk, and an agent that runs while its power is on. */
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "@muster/core/ports/ports.ts";
import { replaceFile } from "../file.ts";

export interface MachineRecord {
  readonly machineId: string;
  readonly workspace: string;
  readonly clusterId: string;
  readonly generation: number;
  readonly try: number;
  readonly hostId: string;
  readonly rank: number;
  /** Loopback address of its own, where the system has more than one. */
  readonly address: string;
  /** Epoch ms. */
  readonly launchedAt: number;
  readonly power: "on" | "off" | "ending";
}

/** Puts onto a new disk what it begins with; on one that it was put onto in part, again. */
export type Furnish = (disk: string) => Promise<void>;

/** The machines on this disk. Each is one folder; a record is replaced whole, so that a crash leaves the old or the new. */
export class Rack {
  readonly #folder: string;
  readonly #log: Pick<Log, "error">;
  /** Machines whose records were found unreadable: one line each is enough. */
  readonly #told = new Set<string>();

  constructor(folder: string, log: Pick<Log, "error">) {
    this.#folder = folder;
    this.#log = log;
  }

  /** The folder that is the machine's disk. */
  disk(machineId: string): string {
    return join(this.#folder, machineId);
  }

  /** Names of all machines, whatever their records say. */
  names(): Promise<string[]> {
    return readdir(this.#folder).catch(absent([]));
  }

  /** Names of those that have a record, readable or not: a folder alone may be what somebody wrote after it was removed. */
  async present(): Promise<string[]> {
    const found = await Promise.all((await this.names()).map(async name => ((await this.find(name)) ? [name] : [])));
    return found.flat();
  }

  /** All machines whose records can be read; one that cannot is told to the log and hides no other. */
  async list(): Promise<MachineRecord[]> {
    const found = await Promise.all((await this.names()).map(name => this.find(name)));
    return found.filter(record => record !== undefined && record !== "unreadable");
  }

  /** The machine's record; undefined when there is no such machine. */
  async find(machineId: string): Promise<MachineRecord | "unreadable" | undefined> {
    if (!NAME.test(machineId)) return undefined;
    try {
      const text = await readFile(join(this.disk(machineId), "machine.json"), "utf8").catch(absent(undefined));
      return text === undefined ? undefined : parse(machineId, text);
    } catch (error) {
      const path = join(this.disk(machineId), "machine.json");
      if (!this.#told.has(machineId))
        this.#log.error("a machine's record cannot be read", { machine: machineId, path, reason: String(error) });
      this.#told.add(machineId);
      return "unreadable";
    }
  }

  async write(record: MachineRecord): Promise<void> {
    await replaceFile(join(this.disk(record.machineId), "machine.json"), JSON.stringify(record));
  }

  /**
   * A machine with its enrollment token, and what its disk begins with. These first: a machine that is on record can be
   * started.
   */
  async create(record: MachineRecord, enrollmentToken: string, furnish?: Furnish): Promise<void> {
    const disk = this.disk(record.machineId);
    await mkdir(disk, { recursive: true, mode: 0o700 });
    await furnish?.(disk);
    await replaceFile(join(disk, "enrollment-token"), enrollmentToken);
    await this.write(record);
  }

  async remove(machineId: string): Promise<void> {
    await rm(this.disk(machineId), { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A name that leads nowhere else. */
const NAME = /^[\w-]+$/;

/** A record as `write` left it. @throws Error for anything else, which a failing disk or a person's hand may leave. */
function parse(machineId: string, text: string): MachineRecord {
  const record = JSON.parse(text) as MachineRecord | null;
  if (record?.machineId !== machineId || !POWERS.has(record.power)) throw new Error("it is no machine's record");
  return record;
}

const POWERS: ReadonlySet<unknown> = new Set(["on", "off", "ending"]);

const absent =
  <T>(instead: T) =>
  (error: NodeJS.ErrnoException): T => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return instead;
    throw error;
  };
