/** A machine of the local provider: a folder that is its disk, and an agent that runs while its power is on. */
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";

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

/** The machines on this disk. Each is one folder; a record is replaced whole, so that a crash leaves the old or the new. */
export class Rack {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The folder that is the machine's disk. */
  disk(machineId: string): string {
    return join(this.#folder, machineId);
  }

  async list(): Promise<MachineRecord[]> {
    const names = await readdir(this.#folder).catch(absent([]));
    const records = await Promise.all(names.map(name => this.read(name)));
    return records.filter(record => record !== undefined);
  }

  async read(machineId: string): Promise<MachineRecord | undefined> {
    const text = await readFile(join(this.disk(machineId), "machine.json"), "utf8").catch(absent(undefined));
    return text === undefined ? undefined : (JSON.parse(text) as MachineRecord);
  }

  async write(record: MachineRecord): Promise<void> {
    await replaceFile(join(this.disk(record.machineId), "machine.json"), JSON.stringify(record));
  }

  /** A machine with its enrolment token. The token first: a machine that is on record can be started. */
  async create(record: MachineRecord, enrolmentToken: string): Promise<void> {
    const disk = this.disk(record.machineId);
    await mkdir(disk, { recursive: true, mode: 0o700 });
    await replaceFile(join(disk, "enrolment-token"), enrolmentToken);
    await this.write(record);
  }

  async remove(machineId: string): Promise<void> {
    await rm(this.disk(machineId), { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Writes a file so that it is there whole or not at all, even when the power goes. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.new`;
  const file = await open(temporary, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

const absent =
  <T>(instead: T) =>
  (error: NodeJS.ErrnoException): T => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return instead;
    throw error;
  };
