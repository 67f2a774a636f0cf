/** The workspace's secrets as jobs use them: named when the job is made, read when a host begins with it. */
import type { Actor } from "../actor/actor.ts";
import { type Issue, MusterError } from "../error.ts";
import type { SecretsReader, Values } from "../ports/secrets.ts";
import type { Table } from "../ports/table.ts";
import type { World } from "../ports/world.ts";
import type { Task } from "../task/task.ts";
import * as Secret from "./secret.ts";

/** How many are looked up at a time: a host waits for all of them, and each is two calls. */
const AT_ONCE = 8;

type Asked = Pick<Task, "storedSecrets" | "secrets" | "envs">;

/**
 * Whether the task may name the secrets that it names. One that is removed later ends the job when it would begin.
 * @throws MusterError `invalid_request` for a name that the task gives a value as well; `not_found` for a secret that is
 * not there, with what may have been meant.
 */
export async function requireStored(world: { readonly table: Table }, actor: Actor, task: Asked): Promise<void> {
  if (task.storedSecrets.length === 0) return;
  requireOnce(task);
  const asked = task.storedSecrets.map((name, index) => ({ name, path: `task.storedSecrets.${index}` }));
  const found = await each(asked, ({ name }) => Secret.find(world.table, actor.workspace, name));
  const missing = asked.filter((_, index) => found[index] === undefined);
  if (missing.length > 0) throw await Secret.absent(world.table, actor.workspace, missing);
}

/** A job sees one variable of a name: which of two values that were, nobody should have to know. */
function requireOnce({ storedSecrets, secrets, envs }: Asked): void {
  const issues = storedSecrets.flatMap((name, index): Issue[] => {
    const path = `task.storedSecrets.${index}`;
    if (storedSecrets.indexOf(name) < index) return [{ path, message: `'${name}' is named twice` }];
    const other = [
      ...(Object.hasOwn(secrets, name) ? ["secrets"] : []),
      ...(Object.hasOwn(envs, name) ? ["envs"] : []),
    ];
    return other.map(field => ({ path, message: `'${name}' has a value in ${field} as well: take one of them out` }));
  });
  if (issues.length > 0)
    throw new MusterError("invalid_request", "a variable is either given or one of the workspace's secrets", {
      issues,
    });
}

/** How long what was kept may take to be read, in ms: Parameter Store is eventually consistent. */
export const SHOWS_WITHIN = 5 * 60_000;

/** Values by name; or which names have none any more; or neither yet, as a value was kept a moment ago. */
export type Found = { readonly values: Values } | { readonly gone: readonly string[] } | "later";

type Part = Pick<World, "table" | "clock"> & { readonly secrets: SecretsReader };

/** The values that these secrets have now. @throws MusterError as the port does. */
export async function readStored(world: Part, workspace: string, names: readonly string[]): Promise<Found> {
  const found = await each(names, async name => ({ name, is: await readOne(world, workspace, name) }));
  const gone = found.flatMap(({ name, is }) => (is === "gone" ? [name] : []));
  if (gone.length > 0) return { gone };
  if (found.some(({ is }) => is === "later")) return "later";
  return {
    values: Object.fromEntries(found.flatMap(({ name, is }) => (typeof is === "object" ? [[name, is.value]] : []))),
  };
}

/** How often a value may be replaced while it is looked for. */
const TIMES = 3;

async function readOne(world: Part, workspace: string, name: string): Promise<{ value: string } | "gone" | "later"> {
  for (let time = 1; time <= TIMES; time++) {
    const secret = await Secret.find(world.table, workspace, name);
    if (secret === undefined) return "gone";
    const values = await world.secrets.read(Secret.refOf(secret));
    const value = values && Secret.unwrap(values);
    if (value !== undefined) return { value };
    // Forgotten, since it was given another value meanwhile? Else it does not show yet, or never will.
    const now = await Secret.find(world.table, workspace, name);
    if (now?.valueId === secret.valueId) return world.clock.now() > now.changedAt + SHOWS_WITHIN ? "gone" : "later";
  }
  return "later";
}

/** The answers for all of them, in their order, a few at a time. */
async function each<T, U>(items: readonly T[], ask: (item: T) => Promise<U>): Promise<U[]> {
  const answers: U[] = [];
  // One iterator for all of them: each takes the next that nobody has taken.
  const queue = items.entries();
  const work = async () => {
    for (const [index, item] of queue) answers[index] = await ask(item);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, work));
  return answers;
}
