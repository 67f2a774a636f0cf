/**
 * Stored secrets: values that a workspace keeps under names, for jobs that ask for them. The record never holds the value.
 * That is with the secrets' port, under an id of the value's own: a value is never changed, a new one gets a new id, so
 * that no race between two who set it, or between one who sets and one who removes, can mix or lose anything.
 */

import * as z from "zod";
import type { By } from "../actor/actor.ts";
import { MusterError } from "../error.ts";
import * as Event from "../event/event.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import { nearest } from "../near.ts";
import type { SecretsRef, Values } from "../ports/secrets.ts";
import type { Table, Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { load, type Noun, type Stored } from "../record.ts";
import { EnvName } from "../task/task.ts";
import { MOST_BYTES, sizeOf } from "./text.ts";

export const Secret = z.object({
  workspace: z.string(),
  /** The variable that jobs see. */
  name: z.string(),
  /** Who made it. */
  owner: z.string(),
  createdAt: z.number(),
  /** Who gave it the value that it has now. */
  changedBy: z.string(),
  changedAt: z.number(),
  /** Id of that value: the owner under which the port keeps it. */
  valueId: z.string(),
});
export type Secret = z.infer<typeof Secret>;

export const noun: Noun<Secret> = {
  type: "secret",
  schema: Secret,
  fields: new Set(Object.keys(Secret.shape)),
  key: record => Keys.secret(record.workspace, record.name),
  indexes: () => ({}),
};

/** A secret as the API shows it. */
export const Info = Secret.pick({ name: true, owner: true, createdAt: true, changedBy: true, changedAt: true });
export type Info = z.infer<typeof Info>;

export const NameParam = z.object({ name: EnvName.meta({ description: "Name of the secret" }) });

/** Under which name a value is kept, alone in its text. */
const VALUE = "value";
export const wrap = (value: string): Values => ({ [VALUE]: value });
export const unwrap = (values: Values): string | undefined => values[VALUE];

const fits = (value: string): boolean => sizeOf(wrap(value)) <= MOST_BYTES;

export const Value = z.strictObject({
  value: z
    .string()
    .min(1, "must not be empty")
    .refine(value => !value.includes("\0"), "must not have a zero byte in it: no variable can hold one")
    .refine(fits, `must not have more than some ${MOST_BYTES / 1024} KB: let jobs fetch what is larger themselves`)
    .meta({ description: "It is never shown again" }),
});
export type Value = z.infer<typeof Value>;

/** The line of its history that says what was done to it: never the value. */
export function eventOf(
  world: Pick<Basics, "clock" | "random">,
  by: By,
  secret: Secret,
  kind: "secret.set" | "secret.removed",
): Write {
  const event = { id: Id.create(world.random, "event"), at: world.clock.now(), subject: secret.name, kind };
  return { put: Event.draft(noun.key(secret), by, event), expect: "absent" };
}

/** Where its value is. */
export const refOf = ({ workspace, valueId }: Pick<Secret, "workspace" | "valueId">): SecretsRef => ({
  workspace,
  owner: valueId,
});

export const find = (table: Table, workspace: string, name: string): Promise<Stored<Secret> | undefined> =>
  load(table, noun, Keys.secret(workspace, name));

/** All names of the workspace, as they stand. */
export async function namesOf(table: Table, workspace: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { sk } of items(table, workspace)) names.push(sk.slice(Keys.SECRET.length));
  return names;
}

/** The ids of all values that the workspace's secrets have, also of those that newer code wrote. */
export async function idsOf(table: Table, workspace: string): Promise<ReadonlySet<string>> {
  const ids: string[] = [];
  for await (const { data } of items(table, workspace)) ids.push(String(data.valueId));
  return new Set(ids);
}

async function* items(table: Table, workspace: string) {
  let cursor: string | undefined;
  do {
    const range = { pk: Keys.secrets(workspace), prefix: Keys.SECRET, limit: 1000 };
    const page = await table.query({ ...range, ...(cursor !== undefined && { cursor }) });
    yield* page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** What is said of names that no secret has. */
export async function absent(
  table: Table,
  workspace: string,
  names: readonly { readonly path: string; readonly name: string }[],
): Promise<MusterError> {
  const known = await namesOf(table, workspace);
  const issues = names.map(({ path, name }) => {
    const near = nearest(name, known);
    const suggestion = near === undefined ? {} : { suggestion: `did you mean ${near}?` };
    return { path, message: `there is no secret '${name}'`, ...suggestion };
  });
  const [first] = names;
  const message = names.length === 1 ? `there is no secret '${first?.name}'` : "secrets are missing";
  return new MusterError("not_found", message, {
    issues,
    hint: `set it with: muster secrets set ${first?.name}; see what there is with: muster secrets list`,
  });
}
