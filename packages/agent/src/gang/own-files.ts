/**
 * Files in the `.ssh` of the jobs' user. Everything there is done as that user: wherever links lead, the agent's own rights
 * are of no use to whoever laid them.
 */
import { execFile } from "node:child_process";
import { once } from "node:events";
import type { Account } from "../host/account.ts";

export type User = Pick<Account, "name" | "home" | "plain">;

/** Called with the folder and the file's name. 3: what is there is not the user's own. */
const READ = `folder=$1 file=$1/$2
[ ! -L "$folder" ] && [ ! -e "$folder" ] && exit 0
[ -d "$folder" ] && [ -O "$folder" ] || exit 3
[ ! -L "$file" ] && [ ! -e "$file" ] && exit 0
[ -f "$file" ] && [ -O "$file" ] || exit 3
exec cat -- "$file"
`;

/**
 * The same, with the content on its standard input, and how many bytes that are: whoever writes may end on the way, and half
 * of the file would let its owner in no more. A link stays one; what it leads to is replaced whole.
 */
const WRITE = `set -e
umask 077
mkdir -p -- "$1"
file=$(readlink -f -- "$1/$2")
rm -f -- "$file.muster"
[ ! -e "$file" ] || cp -p -- "$file" "$file.muster"
cat >"$file.muster"
[ "$(wc -c <"$file.muster")" -eq "$3" ] || { rm -f -- "$file.muster"; echo "what was to be written broke off" >&2; exit 1; }
mv -f -- "$file.muster" "$file"
`;

const KEY = `set -e
umask 077
mkdir -p -- "$1"
rm -f -- "$1/$2" "$1/$2.pub"
"$3" -q -t ed25519 -N '' -C muster -f "$1/$2" >&2 </dev/null
exec cat -- "$1/$2.pub"
`;

const REMOVE = `exec rm -f -- "$1/$2"
`;

export class OwnFiles {
  readonly #user: User;
  readonly #bash: string;

  constructor(user: User, bash: string) {
    this.#user = user;
    this.#bash = bash;
  }

  /** Empty when there is none. @throws Error, for people, when it is not the user's own, or cannot be read */
  read(name: string): Promise<string> {
    return this.#run(READ, [name]);
  }

  /** @throws Error, for people */
  async write(name: string, content: string): Promise<void> {
    await this.#run(WRITE, [name, String(Buffer.byteLength(content))], content);
  }

  async remove(name: string): Promise<void> {
    await this.#run(REMOVE, [name]);
  }

  /** Makes a key pair in the place of any that was there. @returns its public half */
  makeKey(name: string, keygen: string): Promise<string> {
    return this.#run(KEY, [name, keygen]);
  }

  async #run(text: string, args: readonly string[], input = ""): Promise<string> {
    const { name, home, plain } = this.#user;
    const folder = `${home}/.ssh`;
    const [program = this.#bash, ...words] = [...plain, this.#bash, "-pc", text, "muster", folder, ...args];
    const env = { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: home, LANG: "C" };
    const child = execFile(program, words, { env, cwd: "/", timeout: 30_000, killSignal: "SIGKILL" });
    const said = { out: "", error: "" };
    child.stdout?.on("data", data => {
      said.out += String(data);
    });
    child.stderr?.on("data", data => {
      said.error += String(data);
    });
    // It may have ended before it has read all.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
    const [code] = await once(child, "close");
    if (code === 0) return said.out;
    const path = `${folder}/${args[0]}`;
    if (code === 3) throw new Error(`${path} is not a file of ${name}'s own`);
    throw new Error(`${path}: ${said.error.trim().slice(-300) || `ended with ${code}`}`);
  }
}
