/**
 * SSH between the hosts of a job, as the user whose name jobs run under. Each host has a key of its own that never leaves it;
 * the control plane tells its public half to the job's other hosts. There each of them is let in for as long as an attempt
 * needs it, from its own address only.
 */
import { isIP } from "node:net";
import { messageOf } from "../disk.ts";
import { find } from "../host/gpus.ts";
import type { Surroundings } from "../host/surroundings.ts";
import type { Journal } from "../journal.ts";
import type { Assignment } from "../types.ts";
import { withBlock } from "./block.ts";
import { OwnFiles } from "./own-files.ts";

export type Peer = NonNullable<Assignment["peers"]>[number];

const KEY = "muster_ed25519";
const KNOWN = "muster_known_hosts";
const PUBLIC = /^ssh-ed25519 [A-Za-z0-9+/]{68}(?=\s)/;
const WHOLE = /^ssh-ed25519 [A-Za-z0-9+/]{68}$/;

type Machine = Pick<Surroundings, "account" | "bash" | "path">;

export class Peers {
  readonly #files: OwnFiles | undefined;
  readonly #keygen: string | undefined;
  readonly #needed = new Map<string, readonly Peer[]>();
  readonly #journal: Pick<Journal, "warn">;
  #key: Promise<string | undefined> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** Where jobs have no account but the agent's own, that may be a person's, and nothing of it is touched. */
  constructor({ account, bash, path }: Machine, journal: Pick<Journal, "warn">) {
    this.#journal = journal;
    this.#files = account && account.as.length > 0 ? new OwnFiles(account, bash) : undefined;
    this.#keygen = find("ssh-keygen", `${path}:/usr/bin:/bin`);
  }

  /**
   * The public half of this host's key, which is made anew: a disk that was copied must not bring its former machine's.
   * Undefined where there is none to be had. The same in the life of an agent.
   */
  key(): Promise<string | undefined> {
    this.#key ??= this.#newKey().catch((error: unknown) => {
      this.#journal.warn("no key for ssh", { error: messageOf(error) });
      return undefined;
    });
    return this.#key;
  }

  async #newKey(): Promise<string | undefined> {
    if (this.#files === undefined || this.#keygen === undefined) return undefined;
    return PUBLIC.exec(await this.#files.makeKey(KEY, this.#keygen))?.[0];
  }

  /** Lets these in, and shows the jobs the way to them. @throws Error, for people */
  async add(attempt: string, peers: readonly Peer[] = []): Promise<void> {
    const sound = soundOf(peers);
    if (sound.length === 0 || this.#needed.has(attempt)) return;
    this.#needed.set(attempt, sound);
    await this.#write();
  }

  /** The attempt is over. */
  async release(attempt: string): Promise<void> {
    if (this.#needed.delete(attempt)) await this.#close();
  }

  /** What a former agent has left, with what these attempts still need. */
  async retain(attempts: readonly { readonly name: string; readonly peers?: readonly Peer[] | undefined }[]) {
    for (const { name, peers = [] } of attempts) if (peers.length > 0) this.#needed.set(name, soundOf(peers));
    await this.#close();
  }

  async #close(): Promise<void> {
    try {
      await this.#write();
    } catch (error) {
      this.#journal.warn("ssh is left open", { error: messageOf(error) });
    }
  }

  /** One after the other; each writes what is needed by then. */
  #write(): Promise<void> {
    const written = this.#last.then(
      () => this.#writeNow(),
      () => this.#writeNow(),
    );
    this.#last = written;
    return written;
  }

  async #writeNow(): Promise<void> {
    const all = new Map([...this.#needed.values()].flat().map(peer => [`${peer.address} ${peer.sshKey}`, peer]));
    const peers = [...all.values()];
    await this.#put(
      "authorized_keys",
      peers.map(({ address, sshKey }) => `from="${address}" ${sshKey} muster`),
    );
    await this.#put("config", peers.length === 0 ? [] : wayTo(peers));
    // An address may be another machine's by the next job.
    if (peers.length === 0) await this.#files?.remove(KNOWN);
  }

  async #put(name: string, lines: readonly string[]): Promise<void> {
    const before = await this.#files?.read(name);
    const after = withBlock(before ?? "", lines);
    if (before !== after) await this.#files?.write(name, after);
  }
}

/** Hosts say these things of themselves, and they are to be lines of a file. */
const soundOf = (peers: readonly Peer[]): Peer[] =>
  peers.filter(({ address, sshKey }) => isIP(address) !== 0 && WHOLE.test(sshKey));

/** What stands behind it is about whatever it was about without it: the last line ends the part that is about those hosts. */
const wayTo = (peers: readonly Peer[]): string[] => [
  `Host ${[...new Set(peers.map(({ address }) => address))].join(" ")}`,
  `  IdentityFile ~/.ssh/${KEY}`,
  "  StrictHostKeyChecking accept-new",
  `  UserKnownHostsFile ~/.ssh/${KNOWN}`,
  "Host *",
];
