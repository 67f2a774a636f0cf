/**
 * A git repository as the workdir, by the host's own git. Submodules are not fetched: a setup can do that.
 *
 * What opens a private repository reaches git through its environment alone, never by its arguments, the repository's
 * address or its configuration; it is said to the repository's own host only, wherever that redirects to.
 * (https://git-scm.com/docs/gitcredentials: `credential.<url>.helper`)
 */
import { find } from "../host/gpus.ts";
import { backoff, sleep } from "../wait.ts";
import type { Places } from "./inputs.ts";
import { InputError } from "./place.ts";
import { type Ended, runProgram } from "./program.ts";

export interface Repository {
  readonly url: string;
  readonly ref?: string | undefined;
}

/** A repository's address without what opens it. */
interface Address {
  readonly url: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** `https://host` of what asks for a password. */
  readonly origin: string | undefined;
}

const TRIES = 5;
/** `user@host:path`, as ssh's users write it. */
const SHORT_SSH = /^[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:(?!\/\/)[^\s]+$/;
const WHOLE_COMMIT = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

/** Prints what git asks for; git runs it by a shell, with `get` behind it. */
export const HELPER = `!f() { test "$1" = get && printf 'username=%s\\npassword=%s\\n' "$MUSTER_GIT_USER" "$MUSTER_GIT_PASSWORD"; }; f`;

/** What git must not ask, or take, from anywhere else. */
const QUIET: Readonly<Record<string, string>> = {
  GIT_TERMINAL_PROMPT: "0",
  GIT_ALLOW_PROTOCOL: "https:http:ssh",
  LC_ALL: "C",
};
const SSH = "ssh -oBatchMode=yes -oStrictHostKeyChecking=accept-new";

/** Variables of a task that would turn git away from the folder that it is told. */
const MISLEADING = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_NAMESPACE", "GIT_OBJECT_DIRECTORY"];

/** A connection that brings next to nothing for a minute is given up. */
const PATIENT = ["-c", "http.lowSpeedLimit=100", "-c", "http.lowSpeedTime=60"];

/** The environment that git gets, on top of a job's own. */
export const quietly = (env: Readonly<Record<string, string>>): Record<string, string> => ({
  ...Object.fromEntries(Object.entries(env).filter(([name]) => !MISLEADING.includes(name))),
  ...QUIET,
  GIT_SSH_COMMAND: env.GIT_SSH_COMMAND ?? SSH,
});

/**
 * Clones into the workdir, which `empty` makes anew, and returns the commit that it holds; none where there is no commit.
 * @throws InputError that says which repository, what git said, and what may help
 */
export async function clone(
  repository: Repository,
  places: Places,
  empty: () => Promise<void>,
  signal: AbortSignal,
): Promise<string> {
  const git = find("git", places.env.PATH ?? "") ?? find("git", "/usr/bin:/bin:/usr/local/bin");
  if (git === undefined)
    throw new InputError("the workdir: git is not on this host; use an image that has it, or a local folder");
  const ref = repository.ref;
  if (ref !== undefined && (ref.startsWith("-") || /[\s\p{Cc}]/u.test(ref)))
    throw new InputError(`the workdir: ${JSON.stringify(ref)} is not the name of a branch, tag or commit`);
  const work = new Clone(git, addressOf(repository.url), ref, places, signal);
  for (let failures = 0; ; failures++) {
    await empty();
    const ended = await work.attempt(empty);
    signal.throwIfAborted();
    if (ended.code === 0) return ended.output;
    if (failures + 1 >= TRIES || !MAY_PASS.test(ended.said)) throw new InputError(work.explain(ended));
    await sleep(backoff(failures), signal);
  }
}

class Clone {
  readonly #git: string;
  readonly #address: Address;
  readonly #ref: string | undefined;
  readonly #places: Places;
  readonly #signal: AbortSignal;
  readonly #env: Record<string, string>;

  constructor(git: string, address: Address, ref: string | undefined, places: Places, signal: AbortSignal) {
    this.#git = git;
    this.#address = address;
    this.#ref = ref;
    this.#places = places;
    this.#signal = signal;
    const { user, password } = this.#key();
    this.#env = { ...quietly(places.env), MUSTER_GIT_USER: user, MUSTER_GIT_PASSWORD: password };
  }

  /** The newest state alone where the server gives it; else all of it. */
  async attempt(empty: () => Promise<void>): Promise<Ended> {
    const shallow = await this.#shallow();
    if (shallow.code === 0 || this.#signal.aborted || isHopeless(shallow)) return this.#at(shallow);
    await empty();
    return this.#at(await this.#whole());
  }

  explain({ said, code }: Ended): string {
    const { url, password } = this.#address;
    const what = `the workdir: the repository ${url}`;
    if (NO_REF.test(said)) return `${what} has no branch, tag or commit ${JSON.stringify(this.#ref)}`;
    const words = this.#masked(said).replace(/\s+/g, " ").slice(-500) || `git ended with ${code}`;
    if (!DENIED.test(said)) return `${what} could not be cloned: ${words}`;
    const given = (password ?? this.#places.given.GIT_TOKEN) !== undefined;
    return given
      ? `${what} is not opened by the GIT_TOKEN of this job: ${words}`
      : `${what} is private or not there: give GIT_TOKEN as a secret, or look for a typing error: ${words}`;
  }

  #masked(text: string): string {
    const { user, password } = this.#key();
    return [user, password]
      .filter(one => one.length >= 4 && one !== USER)
      .reduce((all, one) => all.replaceAll(one, "***"), text);
  }

  /** What the address brings stands over the job's token. */
  #key(): { readonly user: string; readonly password: string } {
    const { user, password } = this.#address;
    const token = this.#places.given.GIT_TOKEN?.trim();
    return { user: user ?? USER, password: password ?? token ?? "" };
  }

  async #shallow(): Promise<Ended> {
    const ref = this.#ref;
    const { url } = this.#address;
    if (ref === undefined || !WHOLE_COMMIT.test(ref)) {
      const branch = ref === undefined ? [] : ["--branch", ref];
      return this.#run("clone", "--quiet", "--depth", "1", ...branch, "--", url, ".");
    }
    for (const words of [
      ["init", "--quiet"],
      ["remote", "add", "--", "origin", url],
      ["fetch", "--quiet", "--depth", "1", "--", "origin", ref],
    ]) {
      const ended = await this.#run(...words);
      if (ended.code !== 0) return ended;
    }
    return this.#run("checkout", "--quiet", "--detach", "FETCH_HEAD");
  }

  async #whole(): Promise<Ended> {
    const cloned = await this.#run("clone", "--quiet", "--", this.#address.url, ".");
    if (cloned.code !== 0 || this.#ref === undefined) return cloned;
    for (const place of ["refs/remotes/origin/", "refs/tags/", ""]) {
      const commit = await this.#run("rev-parse", "--verify", "--quiet", `${place}${this.#ref}^{commit}`);
      if (commit.code === 0) return this.#run("checkout", "--quiet", "--detach", commit.output);
    }
    return { code: undefined, said: "no such ref", output: "" };
  }

  async #at(ended: Ended): Promise<Ended> {
    if (ended.code !== 0) return ended;
    const head = await this.#run("rev-parse", "--verify", "--quiet", "HEAD");
    // A repository without a single commit has nothing to be at.
    return head.code === 0 ? head : { ...ended, output: "" };
  }

  #run(...words: string[]): Promise<Ended> {
    const { origin, user } = this.#address;
    const isOpen = user === undefined && this.#key().password === "";
    const helper = origin === undefined || isOpen ? [] : ["-c", `credential.${origin}.helper=${HELPER}`];
    // What the host's owner keeps for himself is not for jobs.
    const command = [this.#git, "-c", "credential.helper=", ...helper, ...PATIENT, ...words];
    const { owner, workdir } = this.#places;
    return runProgram({ command: [...(owner?.plain ?? []), ...command], env: this.#env, cwd: workdir }, this.#signal);
  }
}

/** GitHub, GitLab and Bitbucket take any name beside a token; GitHub documents this one. */
const USER = "x-access-token";

const DENIED =
  /Authentication failed|could not read (Username|Password)|Permission denied|Repository not found|not found|HTTP (401|403)|error: (401|403)|access denied|denied to/i;
const NO_REF = /Remote branch .* not found|no such ref|couldn't find remote ref|not our ref/i;
const MAY_PASS =
  /Could not resolve host|Connection (refused|reset|timed out)|Operation too slow|early EOF|error: (5\d\d|429)|HTTP 5\d\d|unexpected disconnect|hung up|Failed to connect|SSL_ERROR_SYSCALL|timed? ?out/i;

/** Whether the whole repository would not be had either. */
const isHopeless = ({ said }: Ended): boolean => !NO_REF.test(said) && (DENIED.test(said) || MAY_PASS.test(said));

/**
 * @param name of the input that it belongs to
 * @throws InputError for what is no address of a repository, or one of a kind that is not allowed
 */
export function addressOf(text: string, name = "the workdir"): Address {
  if (SHORT_SSH.test(text)) return { url: text, user: undefined, password: undefined, origin: undefined };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    !["https:", "http:", "ssh:"].includes(url.protocol) ||
    /[\s\p{Cc}]/u.test(text) ||
    !isWhole(url)
  )
    throw new InputError(
      `${name}: ${JSON.stringify(withoutUser(text))} is not a repository that can be cloned; write https://host/path or git@host:path`,
    );
  if (url.protocol === "ssh:") return { url: ssh(url), user: undefined, password: undefined, origin: undefined };
  const user = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  url.username = "";
  url.password = "";
  // A name alone is a token, as GitHub's users write it; with a token beside it, it is a name.
  return {
    url: url.href,
    user: user || undefined,
    password: password || undefined,
    origin: url.origin,
  };
}

/** Whether its name and password are well encoded, which a URL need not be. */
function isWhole({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}

/** A password in an address is of no use to ssh. */
function ssh(url: URL): string {
  url.password = "";
  return url.href;
}

const withoutUser = (text: string): string => text.replace(/\/\/[^/@]*@/, "//");
