/**
 * SSH between the hosts of a job, as the user whose name jobs run under. Each host has a key of its own that never leaves it;
 * the control plane tells its public half to the job's other hosts. There each of them is let in for as long as an attempt
 * needs it, from its own address only.
 */
import { isIP } from "node:net";
import { messageOf } from "../disk.ts";
import type { Account } from "../host/account.ts";
import { find } from "../host/gpus.ts";
import type { Surroundings } from "../host/surroundings.ts";
import type { Journal } from "../journal.ts";
import type { Assignment } from "../types.ts";
import { withBlock } from "./block.ts";
import { type HostName, HostNames } from "./host-names.ts";
import { OwnFiles } from "./own-files.ts";
import { expel } from "./visitors.ts";

export type Peer = NonNullable<Assignment["peers"]>[number];

const KEY = "muster_ed25519";
const KNOWN = "muster_known_hosts";
const PUBLIC = /^ssh-ed25519 [A-Za-z0-9+/]{68}(?=\s)/;
const WHOLE = /^ssh-ed25519 [A-Za-z0-9+/]{68}$/;

type Machine = Pick<Surroundings, "account" | "bash" | "path">;

/** An attempt that goes on. */
interface Held {
  readonly name: string;
  readonly peers?: readonly Peer[] | undefined;
  readonly hostNames?: readonly HostName[] | undefined;
}

export class Peers {
  readonly #user: Account | undefined;
  readonly #files: OwnFiles | undefined;
  readonly #names: HostNames;
  readonly #keygen: string | undefined;
  readonly #needed = new Map<string, readonly Peer[]>();
  readonly #journal: Pick<Journal, "warn">;
  #key: Promise<string | undefined> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** Where jobs have no account but the agent's own, that may be a person's, and nothing of it is touched. */
  constructor({ account, bash, path }: Machine, journal: Pick<Journal, "warn">, hostsFile = "/etc/hosts") {
    this.#journal = journal;
    this.#user = account && account.as.length > 0 ? account : undefined;
    this.#files = this.#user && new OwnFiles(this.#user, bash);
    this.#names = new HostNames(this.#files && hostsFile);
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

  /** Makes the names of a job group's hosts known to the machine. @throws Error, for people */
  name(attempt: string, names: readonly HostName[] = []): Promise<void> {
    return this.#names.add(attempt, names);
  }

  /** Ends what these have started here with ssh, unless another attempt needs them as well; after `release`. */
  async expel(peers: readonly Peer[] = [], grace: number): Promise<void> {
    if (this.#user === undefined) return;
    const needed = new Set([...this.#needed.values()].flat().map(({ address }) => address));
    const gone = new Set(soundOf(peers).flatMap(({ address }) => (needed.has(address) ? [] : address)));
    await expel([...gone], this.#user, grace);
  }

  /** The attempt is over. */
  async release(attempt: string): Promise<void> {
    await this.#forget(this.#names.release(attempt));
    if (this.#needed.delete(attempt)) await this.#close();
  }

  /** What a former agent has left, with what these attempts still need. */
  async retain(attempts: readonly Held[]) {
    await this.#forget(this.#names.retain(attempts));
    for (const { name, peers = [] } of attempts) if (peers.length > 0) this.#needed.set(name, soundOf(peers));
    await this.#close();
  }

  async #forget(forgotten: Promise<void>): Promise<void> {
    try {
      await forgotten;
    } catch (error) {
      this.#journal.warn("names of hosts are left", { error: messageOf(error) });
    }
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
