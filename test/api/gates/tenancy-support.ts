/** One request with an id in one place: the caller's own, another tenant's, or nobody's. */
import type { HttpAnswer } from "@muster/api/http.ts";
import { BODIES, leastOf } from "./decisions.ts";
import { furnish, type Held, nounOf } from "./furnish.ts";
import { type Position, withId } from "./positions.ts";
import type { Operation } from "./spec.ts";
import { type Ask, openStage, passFor, type Stage } from "./stage.ts";

export interface Tenants {
  readonly stage: Stage;
  readonly own: Held;
  readonly other: Held;
}

export async function openTenants(workspace = "acme"): Promise<Tenants> {
  const stage = openStage();
  const own = await furnish(stage, workspace, "ac");
  const other = await furnish(stage, "elsewhere", "zq");
  return { stage, own, other };
}

/** An id of nobody that looks like this one, to the letter. */
export const ghostOf = (id: string): string =>
  id
    .replace(/_[0-9A-HJKMNP-TV-Z]{26}/, "_01ARZ3NDEKTSV4RRFFQ69G5FAV")
    .replace(/^elsewhere$/, "elsewhexe")
    .replace(/^zq-/, "yv-")
    .replace(/^ZQ_/, "YV_")
    .replace(/^(dl_)?[0-9a-f]{16,64}$/, (whole, prefix = "") => prefix + "9".repeat(whole.length - prefix.length));

/** Which of its own things a route takes, where that is not the first. */
const OWN: Readonly<Record<string, (held: Held) => string | undefined>> = {
  "clusters.start": ({ ids }) => ids.stopped?.[0],
  "images.save": ({ ids }) => ids.stopped?.[0],
  "jobs.hold": ({ ids }) => ids.job?.[1],
  "jobs.release": ({ ids }) => ids.job?.[1],
  "launches.create cluster": ({ ids }) => ids.cluster?.[1],
  "launches.plan cluster": ({ ids }) => ids.cluster?.[1],
  "jobs.rerun cluster": ({ ids }) => ids.cluster?.[1],
};

export const ownIdOf = ({ operation, refers, at }: Pick<Position, "operation" | "refers" | "at">, held: Held): string =>
  (OWN[`${operation.id} ${at.join(".")}`] ?? OWN[operation.id])?.(held) ?? idsOfNoun(held, refers.noun)[0] ?? "";

/** What somebody of the other tenant would write there. */
export const idsOfNoun = (held: Held, noun: string): readonly string[] =>
  (noun === "array" ? held.ids.job?.slice(2, 3) : held.ids[noun]) ?? [];

/** A request that is right in all other respects, made by the first tenant's admin or host. */
export function askWith({ own }: Tenants, position: Position, id: string): Ask {
  const { operation } = position;
  const params = paramsOf(operation, own);
  const base = { ...passFor(own.passes, operation.id), params, ...bodyOf(operation) };
  if (position.in === "path") return { ...base, params: { ...params, [position.at[0] ?? ""]: id } };
  if (position.in === "query") return { ...base, query: `${position.at[0]}=${encodeURIComponent(id)}` };
  return { ...base, body: withId(base.body ?? {}, position, id) };
}

export function paramsOf(operation: Operation, own: Held): Record<string, string> {
  return Object.fromEntries(
    operation.path.map(({ name }) => {
      const noun = nounOf(operation.id, name) ?? "";
      return [name, ownIdOf({ operation, at: [name], refers: { noun, value: "?" } }, own)];
    }),
  );
}

export const bodyOf = (operation: Operation): Pick<Ask, "body"> =>
  operation.body === undefined ? {} : { body: BODIES[operation.id] ?? {} };

/** The answer without what must differ: the id that was asked for, and what was made for this request alone. */
export function plain({ statusCode, headers, body }: HttpAnswer, asked: string): string {
  const known = new Map<string, string>();
  const order = (id: string): string => {
    const name = known.get(id) ?? `id${known.size}`;
    known.set(id, name);
    return name;
  };
  const text = body
    .replaceAll(new RegExp(asked.replaceAll(/[.]/g, "\\."), "gi"), "<asked>")
    .replaceAll(/[a-z]{2,3}_[0-9A-HJKMNP-TV-Z]{26}/g, order)
    .replaceAll(/_[0-9a-hjkmnp-tv-z]{26}\b/g, "<id>")
    // Made of the job's id.
    .replaceAll(/(MASTER_PORT\W+)\d+/g, "$1<port>")
    .replaceAll(/whsec_[\w+/]+=*/g, "<secret>")
    .replaceAll(/\b[0-9a-f]{64}\b/g, "<hex>");
  return JSON.stringify([statusCode, headers, text]);
}

/** What was written since `from` in the other tenant's partitions, or of its index entries. */
export const touched = ({ stage, other }: Tenants, from: number): string[] =>
  stage.world.changes.slice(from).flatMap(change => {
    const key = "item" in change ? change.item : change.removed;
    return key.pk.includes(`W#${other.workspace}#`) ? [`${key.pk} ${key.sk}`] : [];
  });

export const isOfTenants = (operation: Operation): boolean =>
  !["machine", "account", "anybody"].includes(leastOf(operation.id) ?? "");
