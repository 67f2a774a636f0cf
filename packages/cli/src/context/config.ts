/**
 * The file that remembers control planes: `~/.config/muster/config.json`. It holds tokens, so it and its folder are for
 * their owner alone, and it is never half written.
 */
import { randomUUID } from "node:crypto";
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { MusterError } from "@muster/core/error.ts";
import * as z from "zod";
import { Source } from "../login/source.ts";

/** One control plane, and the token that it takes. */
const Context = z.looseObject({
  endpoint: z.string(),
  token: z.string(),
  /** Its endpoint is plain http on a network that whoever logged in trusts. */
  insecure: z.boolean().optional(),
  /** When the token ends, in epoch ms; absent: whoever made it knows. */
  expiresAt: z.number().optional(),
  /** Where the token is from, and the next; absent: it was given. */
  source: Source.optional(),
});
export type Context = z.infer<typeof Context>;

// What a newer version keeps here stays when this one writes.
const Config = z.looseObject({
  /** Name of the context that commands use; absent: this machine's own control plane. */
  current: z.string().optional(),
  contexts: z.record(z.string(), Context).default({}),
});
export type Config = z.infer<typeof Config>;

/** The name by which commands choose the control plane of this machine. */
export const LOCAL = "local";

/** Where the file is. XDG wants a relative folder ignored. */
export function pathOf(env: NodeJS.ProcessEnv): string {
  const base = env.XDG_CONFIG_HOME;
  return join(base && isAbsolute(base) ? base : join(homedir(), ".config"), "muster", "config.json");
}

/** What is remembered; nothing where there is no file. @throws MusterError `invalid_request` for a file that makes no sense. */
export function read(path: string): Config {
  const text = textOf(path);
  if (text === undefined) return { contexts: {} };
  const parsed = Config.safeParse(json(text));
  if (parsed.success) return parsed.data;
  const at = parsed.error.issues.map(({ path: place }) => place.map(String).join(".")).find(place => place !== "");
  // Not in the parser's words: they quote the file, and the file holds tokens.
  throw new MusterError("invalid_request", `${path} is not a configuration of Muster's${at ? `: look at ${at}` : ""}`, {
    hint: `correct it, or move it away and log in again: mv ${path} ${path}.old && muster login`,
  });
}

/** The context of a name; undefined when there is none. */
export const find = ({ contexts }: Config, name: string): Context | undefined =>
  Object.hasOwn(contexts, name) ? contexts[name] : undefined;

/** Whether others on this machine may read the file. */
export function isExposed(path: string): boolean {
  if (process.platform === "win32" || !existsSync(path)) return false;
  return (statSync(path).mode & 0o077) !== 0;
}

/** Replaces the file as a whole. */
export function write(path: string, config: Config): void {
  // Where the file is a link into somebody's collection of settings, the link stays.
  const target = existsSync(path) ? realpathSync(path) : path;
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const draft = join(dirname(target), `.${randomUUID()}.tmp`);
  try {
    const file = openSync(draft, "wx", 0o600);
    writeFileSync(file, `${JSON.stringify(config, null, 2)}\n`);
    fsyncSync(file);
    closeSync(file);
    renameSync(draft, target);
  } catch (error) {
    rmSync(draft, { force: true });
    const { code, message } = error as NodeJS.ErrnoException;
    throw new MusterError("internal", `cannot write ${path}: ${code ?? message}`, {}, error);
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new MusterError(
      "invalid_request",
      `cannot read ${path}: ${code ?? message}`,
      { hint: "see that it is a file of yours that you may read" },
      error,
    );
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // As wrong as any other value that is no configuration.
    return undefined;
  }
}
