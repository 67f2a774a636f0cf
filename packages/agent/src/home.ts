/** Where things lie in a machine's folder. */
import { existsSync, mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { type Account, admit, give, mustReach } from "./host/account.ts";
import { sleep } from "./wait.ts";

/** The absolute paths that belong to one agent. */
export interface Home {
  readonly root: string;
  /** The agent's own folder; nobody else may read it. */
  readonly agent: string;
  /** There as long as the folder is: whatever else is written may come after its removal, and make it anew. */
  readonly mark: string;
  /** HOME of the jobs. */
  readonly jobs: string;
  readonly sock: string;
  readonly log: string;
  readonly nonce: string;
  readonly hostToken: string;
  readonly attempts: string;
  /** Markers of the setups that were run here. */
  readonly setups: string;
  /** What is mounted for jobs, and for which. */
  readonly mounts: string;
  /** Which containers attempts have, and in which engine. */
  readonly containers: string;
  /** What is known of the folders of checkpoints. */
  readonly checkpoints: string;
  /** The highest fence seen of each job. */
  readonly fences: string;
  /** The last order about powering off. */
  readonly power: string;
  /** What is watched besides jobs, and when it was last busy. */
  readonly watch: string;
  /** The last hook, and how it ended. */
  readonly hook: string;
  /** Room for when the disk is full. */
  readonly ballast: string;
  /** Paths of the files that jobs got as secrets, each with a NUL behind it: an image of this host does without them. */
  readonly handed: string;
}

/** Names the paths; makes nothing. A home has one name, whatever links lead to it: processes are found by it. */
export function at(root: string, jobs?: string): Home {
  const named = resolve(root.replace(/^~(?=\/|$)/, homedir()));
  const whole = existsSync(named) ? realpathSync(named) : named;
  const agent = join(whole, "agent");
  return {
    root: whole,
    agent,
    mark: join(agent, "home"),
    jobs: jobs === undefined ? join(whole, "home") : resolve(jobs),
    sock: join(agent, "sock"),
    log: join(agent, "agent.log"),
    nonce: join(agent, "nonce"),
    hostToken: join(agent, "host.json"),
    attempts: join(agent, "attempts"),
    setups: join(agent, "setup"),
    mounts: join(agent, "mounts"),
    containers: join(agent, "containers"),
    checkpoints: join(agent, "checkpoints"),
    fences: join(agent, "fences"),
    power: join(agent, "power.json"),
    watch: join(agent, "watch.json"),
    hook: join(agent, "hook.json"),
    ballast: join(agent, "ballast"),
    handed: join(agent, "handed"),
  };
}

/** Makes the folders that are not there yet. @throws Error, for people, when the jobs' user cannot get to its scripts. */
export function prepare(home: Home, jobs?: Account): void {
  for (const folder of [home.agent, home.attempts, home.setups, home.mounts, home.containers])
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(home.mark, "", { mode: 0o600 });
  if (mkdirSync(home.jobs, { recursive: true }) !== undefined) give(jobs, home.jobs);
  if (jobs === undefined) return;
  admit(jobs, home.agent, home.attempts);
  mustReach(jobs, home);
}

/** How often it is seen to, in ms. */
const LOOK = 1_000;

/** Resolves when the folder that was prepared is not there any more. Rejects when the signal aborts. */
export async function gone(home: Home, signal: AbortSignal): Promise<void> {
  while (existsSync(home.mark)) await sleep(LOOK, signal);
}
