/**
 * The containers of this host's attempts, each from before it is made until it is certain that it is gone.
 *
 * On disk, `<agent>/containers/<attempt>.json` is written before the engine hears of a container, so that a crash leaves
 * none that nobody knows. Beyond that, containers bear their attempt's folder as a label: one whose folder is no more is
 * nobody's, and is removed by whichever agent of the machine comes across it.
 */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { readJson, writeWhole } from "../disk.ts";
import { type Ended, runProgram } from "../inputs/program.ts";
import type { Journal } from "../journal.ts";
import { command, type Engine, lastLine } from "./engine.ts";
import { ENDER } from "./texts.ts";

export interface Container {
  readonly attempt: string;
  readonly name: string;
  readonly engine: Engine;
  /** What the job may have written to on the host. */
  readonly own: readonly string[];
  /** To whom what root leaves there is given; undefined: it is theirs already. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** The label that holds an attempt's folder. */
export const LABEL = "muster.attempt";
/** The label of who may judge whether that folder is there: other users, and other machines with the same engine, see other folders. */
export const OWNER = "muster.owner";
export const ownerName = (): string => `${hostname()}:${process.getuid?.() ?? 0}`;

/** Of the folder `in`: where the container's own programs are. */
export const sudoOf = (inside: string): string => join(inside, "bin", "sudo");

/** Beyond the grace, in ms: what the engine itself may need. */
const SLACK = 30_000;
const REMOVED_WITHIN = 60_000;
const GIVEN_WITHIN = 600_000;

export interface ContainersOptions {
  readonly folder: string;
  readonly journal: Pick<Journal, "note" | "warn">;
}

export class Containers {
  readonly #options: ContainersOptions;

  constructor(options: ContainersOptions) {
    this.#options = options;
  }

  get(attempt: string): Container | undefined {
    return readJson<Container>(this.#file(attempt));
  }

  /** To be called before it is made. */
  add(container: Container): void {
    writeWhole(this.#file(container.attempt), JSON.stringify(container));
  }

  /** Ends all that runs in the attempt's container: TERM, `grace` seconds, KILL. The container stays. */
  async end(attempt: string, grace: number): Promise<void> {
    const container = this.get(attempt);
    if (container === undefined) return;
    const { engine, name } = container;
    const words = ["exec", "--user=0", name, "sh", "-c", ENDER, "muster", String(grace)];
    const { code, said, output, isLate } = await command(engine, words, undefined, grace * 1000 + SLACK);
    if (code === 0 || /no such container|is not running|container state improper/i.test(said)) return;
    this.#warn("not ended in its container", attempt, isLate ? "no answer" : lastLine(`${output}\n${said}`));
    // Its first process takes all others along.
    await command(engine, ["kill", name]);
  }

  /** The attempt has ended: its container goes, and what it leaves in the job's folders becomes the job's user's. */
  async release(attempt: string): Promise<void> {
    const container = this.get(attempt);
    if (container === undefined) return;
    await this.#give(container);
    if (await this.#remove(container)) rmSync(this.#file(attempt), { force: true });
  }

  /** Removes those of attempts that are no more, and those that lost their folder. */
  async retain(attempts: ReadonlySet<string>): Promise<void> {
    const all = this.#all();
    await Promise.all(all.filter(one => !attempts.has(one.attempt)).map(one => this.release(one.attempt)));
    const engines = new Map(all.map(({ engine }) => [engine.program, engine]));
    await Promise.all([...engines.values()].map(engine => this.sweep(engine)));
  }

  /** Those of agents whose folders were removed, this one's or others' of this machine and user. */
  async sweep(engine: Engine): Promise<void> {
    const words = ["ps", "-a", "-q", "--no-trunc", "--filter", `label=${OWNER}=${ownerName()}`];
    const ids = (await command(engine, words)).output.split("\n").filter(id => id !== "");
    if (ids.length === 0) return;
    const format = `{{.Id}} {{index .Config.Labels "${LABEL}"}}`;
    const { output } = await command(engine, ["inspect", "--type=container", "--format", format, ...ids]);
    for (const line of output.split("\n")) {
      const [, id = "", folder = ""] = /^(\S+) (\/.*)$/.exec(line) ?? [];
      if (folder === "" || existsSync(folder)) continue;
      this.#options.journal.note("container of nobody removed", { id, folder });
      await command(engine, ["kill", id]);
      await command(engine, ["rm", "-f", "-v", id], undefined, REMOVED_WITHIN);
    }
  }

  #all(): Container[] {
    const { folder } = this.#options;
    if (!existsSync(folder)) return [];
    return readdirSync(folder).flatMap(name => (name.endsWith(".json") ? (this.get(name.slice(0, -5)) ?? []) : []));
  }

  async #remove({ engine, name, attempt }: Container): Promise<boolean> {
    // Podman would ask it to end, and wait, also when told to use force.
    await command(engine, ["kill", name]);
    const { code, said } = await command(engine, ["rm", "-f", "-v", name], undefined, REMOVED_WITHIN);
    if (code === 0 || /no such container|no container with/i.test(said)) return true;
    this.#warn("container not removed", attempt, lastLine(said));
    return false;
  }

  /**
   * What root has made or changed there since is given by root of the host, or by root inside, where the agent is not. What
   * was root's before stays so: the job may have asked for folders of the host's own.
   */
  async #give({ engine, name, attempt, own, owner }: Container): Promise<void> {
    if (owner === undefined) return;
    const who = `${owner.uid}:${owner.gid}`;
    const give = ["-user", "0", "-exec", "chown", "-h", who, "{}", "+"];
    // Written just before the container was made, and seen inside.
    const since = ["-cnewer", sudoOf(own.at(-1) ?? "")];
    const isRoot = process.getuid?.() === 0;
    // One that has stopped, as after a restart of the machine, must run for this.
    const started = isRoot ? undefined : await command(engine, ["start", name]);
    if (started !== undefined && started.code !== 0)
      return this.#warn("files of a container are left as root's", attempt, lastLine(started.said));
    const limit = AbortSignal.timeout(GIVEN_WITHIN);
    const at = isRoot ? [] : [engine.program, "exec", "--user=0", name];
    const run = (...which: string[]): Promise<Ended> =>
      runProgram({ command: [...at, "find", ...own, "-xdev", ...which, ...give], env: engine.env }, limit);
    const first = await run(...since);
    // The find of small images does not know that word.
    const { code, said } = /cnewer/.test(first.said) ? await run() : first;
    if (code !== 0) this.#warn("files of a container are left as root's", attempt, lastLine(said));
  }

  #file(attempt: string): string {
    return join(this.#options.folder, `${attempt}.json`);
  }

  #warn(what: string, attempt: string, error: string): void {
    this.#options.journal.warn(what, { attempt, error });
  }
}
