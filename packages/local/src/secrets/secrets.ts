/**
 * The secrets of this machine's control plane: one file per owner, which only this user can read, in a folder that only this
 * user can enter. They lie there in clear, as an agent's own files do; whoever is this user can read them.
 */
import { chmod, mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { MusterError } from "@muster/core/error.ts";
import type { Secrets, SecretsPage, SecretsRef } from "@muster/core/ports/secrets.ts";
import { textOf, valuesOf } from "@muster/core/secret/text.ts";
import { replaceFile, UNFINISHED } from "../file.ts";

/** Names that lead nowhere else; ids and workspaces are such. */
const NAME = /^\w[\w.-]*$/;
const ENDING = ".json";

/** @param folder is theirs alone, and no other process keeps secrets in it */
export function openSecrets(folder: string): Secrets {
  let ready: Promise<void> | undefined;
  const prepared = (): Promise<void> => {
    ready ??= tidied(folder).catch((error: unknown) => {
      ready = undefined;
      throw error;
    });
    return ready;
  };
  const pathOf = ({ workspace, owner }: SecretsRef): string => {
    if (NAME.test(workspace) && NAME.test(owner)) return join(folder, workspace, `${owner}${ENDING}`);
    throw new MusterError("internal", `secrets of '${workspace}/${owner}' have no place`);
  };
  return {
    keep: async (ref, values) => {
      const path = pathOf(ref);
      const text = textOf(values);
      await told(async () => {
        await prepared();
        await makeFolder(join(folder, ref.workspace));
        await replaceFile(path, text);
      });
    },
    read: async ref => {
      const text = await told(() => present(readFile(pathOf(ref), "utf8")));
      return text === undefined ? undefined : valuesOf(text);
    },
    forget: ref => told(() => rm(pathOf(ref), { force: true })),
    list: ({ before }) =>
      told(async () => {
        await prepared();
        return list(folder, before);
      }),
  };
}

/** As nobody else can enter it, however it came to be. */
async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
}

/** Without what a crash left half written, which holds secrets too. Nothing is being written yet. */
async function tidied(folder: string): Promise<void> {
  await makeFolder(folder);
  for (const workspace of await readdir(folder))
    for (const name of (await present(readdir(join(folder, workspace)))) ?? [])
      if (name.endsWith(UNFINISHED)) await rm(join(folder, workspace, name), { force: true });
}

async function list(folder: string, before: number): Promise<SecretsPage> {
  const refs: SecretsRef[] = [];
  for (const workspace of (await present(readdir(folder))) ?? [])
    for (const name of (await present(readdir(join(folder, workspace)))) ?? []) {
      if (!name.endsWith(ENDING)) continue;
      const found = await present(stat(join(folder, workspace, name)));
      if (found && found.mtimeMs < before) refs.push({ workspace, owner: name.slice(0, -ENDING.length) });
    }
  return { refs };
}

/** Undefined for what is not there. */
async function present<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(String(codeOf(error)))) return undefined;
    throw error;
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && "code" in error ? error.code : undefined);

/** @throws MusterError `unavailable` where the disk fails; the system's words name files, and nothing that is in them. */
async function told<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof MusterError) throw error;
    const hint = "check that the disk has room, and that you may write to it";
    throw new MusterError("unavailable", `the secrets' folder fails: ${codeOf(error) ?? "no reason"}`, { hint }, error);
  }
}
