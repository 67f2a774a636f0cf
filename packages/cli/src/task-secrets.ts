/** The secrets of a task: those that the command line gives, and those that the workspace keeps. */
import type { Client } from "@muster/api/client.ts";
import { MusterError } from "@muster/core/error.ts";
import { nearest } from "@muster/core/near.ts";
import { EnvName } from "@muster/core/task/task.ts";
import { variablesIn } from "@muster/task/paths.ts";
import { type Draft, fulfil, requireGiven } from "@muster/task/read.ts";
import { InvalidArgumentError } from "commander";
import type { Cli } from "./cli.ts";
import { gitToken } from "./inputs.ts";
import type { Output } from "./output.ts";
import { all } from "./pages.ts";
import { ownValue } from "./task-command.ts";

/** By name; without a value: the workspace's of that name. */
export type Given = Readonly<Record<string, string | undefined>>;

/** Collects `--secret NAME=value`, and `--secret NAME`: one's own variable of that name, or else the workspace's secret. */
export function secretOption(env: NodeJS.ProcessEnv) {
  return (given: string, earlier: Given = {}): Given => {
    const [name = "", value] = given.split(/=(.*)/s, 2);
    const read = EnvName.safeParse(name);
    if (!read.success)
      throw new InvalidArgumentError(`Write NAME=value, or NAME for your own variable or the workspace's secret.`);
    // One's own that is empty is none.
    return { ...earlier, [name]: value ?? (ownValue(env, name) || undefined) };
  };
}

interface Options {
  readonly env?: Readonly<Record<string, string>>;
  readonly secret?: Given;
}

/** The draft with what the command line gives put over what the file says. */
export function given(draft: Draft, { env = {}, secret = {} }: Options): Draft {
  const names = Object.keys(secret);
  const without = (values: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(values).filter(([name]) => !names.includes(name)));
  const values = Object.entries(secret).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const asked = draft.task.storedSecrets.filter(name => !Object.hasOwn(env, name));
  const stored = new Set([...asked, ...names].filter(name => secret[name] === undefined));
  const used = inPaths(draft);
  return {
    ...draft,
    task: {
      ...draft.task,
      envs: without(draft.task.envs),
      secrets: { ...without(draft.task.secrets), ...Object.fromEntries(values) },
      storedSecrets: [...stored],
    },
    // A path is made before the job begins: what stands in one must have been there when the file was read.
    missing: draft.missing.filter(({ name }) => !names.includes(name) || used.has(name)),
  };
}

/** Agents take no shorter value out of logs: it would go from everywhere. */
const SHORTEST = 4;

/** Says which values stand in logs as they are. */
export function warnOfShort(out: Pick<Output, "note" | "style">, { task }: Draft): void {
  for (const [name, value] of Object.entries(task.secrets))
    if (value !== "" && value.length < SHORTEST)
      out.note(
        `${out.style("yellow", "warning:")} secret ${name} has fewer than ${SHORTEST} characters: it is not masked in logs`,
      );
}

const inPaths = ({ workdir, fileMounts, buckets }: Draft): ReadonlySet<string> =>
  new Set(variablesIn(JSON.stringify([workdir, fileMounts, buckets])));

/**
 * The draft as it can be sent: with what the command line gives, with the password of the git repository that it is to
 * clone, and with what the workspace keeps.
 * @throws as `settled` does
 */
export function complete(
  { connect, env }: Pick<Cli, "connect" | "env">,
  draft: Draft,
  options: Options,
  file?: string,
): Promise<Draft> {
  const said = given(draft, options);
  const secrets = { ...said.task.secrets, ...gitToken(said, env) };
  return settled(connect, { ...said, task: { ...said.task, secrets } }, file);
}

/**
 * The draft with the workspace's secrets in the place of variables that have no value. The control plane is asked only
 * where that may help, and before anything is sent.
 * @throws TaskFileError that names each variable that has none still; MusterError `not_found` for a secret that is not there.
 */
export async function settled(client: () => Promise<Client>, draft: Draft, file?: string): Promise<Draft> {
  const { missing, task } = draft;
  if (missing.length === 0 && task.storedSecrets.length === 0) return draft;
  const best = fulfil(
    draft,
    missing.map(({ name }) => name),
  );
  if (best.missing.length > 0) requireGiven(draft, file);
  const known = await stored(await client());
  requireStored(task.storedSecrets, known);
  const full = fulfil(draft, known);
  requireGiven(full, file);
  return full;
}

async function stored(client: Client): Promise<string[]> {
  const items = await all(cursor => client.secrets.list({ query: cursor === undefined ? {} : { cursor } }));
  return items.map(({ name }) => name);
}

function requireStored(names: readonly string[], known: readonly string[]): void {
  const missing = names.filter(name => !known.includes(name));
  const [first] = missing;
  if (first === undefined) return;
  const near = missing.length === 1 ? nearest(first, known) : undefined;
  const what = missing.length === 1 ? `secret '${first}'` : `secrets ${missing.join(", ")}`;
  throw new MusterError("not_found", `the workspace has no ${what}`, {
    hint: `${near === undefined ? "" : `did you mean ${near}? `}set it with: muster secrets set ${first}; or give it: --secret ${first}=…`,
  });
}
