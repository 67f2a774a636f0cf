/** Sends what `arbitrary.ts` makes to one operation after the other, and judges every answer. */
import type { HttpAnswer } from "@muster/api/http.ts";
import { FIRST } from "@muster/core/workspace/workspace.ts";
import fc from "fast-check";
import { type Made, requests, validRequests } from "./arbitrary.ts";
import { leastOf } from "./decisions.ts";
import { furnish, type Held } from "./furnish.ts";
import { amiss, type Operation, outcomeOf } from "./spec.ts";
import { type Ask, openStage, passFor, ROLES, type Stage } from "./stage.ts";

/** What was seen of all operations. */
export interface Tally {
  sent: number;
  readonly kinds: Record<Made["kind"], number>;
  readonly outcomes: Map<string, Map<string, number>>;
}

export const newTally = (): Tally => ({ sent: 0, kinds: { valid: 0, mutated: 0, bytes: 0 }, outcomes: new Map() });

export function note(tally: Tally, id: string, answer: HttpAnswer): void {
  const seen = tally.outcomes.get(id) ?? new Map<string, number>();
  tally.outcomes.set(id, seen);
  const outcome = outcomeOf(answer);
  seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
  tally.sent++;
}

/** A world with two tenants, and the ids of the one that asks. */
export interface Ground {
  readonly stage: Stage;
  readonly held: Held;
  readonly hidden: RegExp;
  readonly ids: Map<string, string[]>;
}

export async function openGround(): Promise<Ground> {
  const stage = openStage();
  const held = await furnish(stage, FIRST, "ac");
  const other = await furnish(stage, "elsewhere", "zq");
  const theirs = Object.values(other.ids)
    .flat()
    .filter(id => id.includes("_"));
  const hidden = new RegExp(`\\bzq-|elsewhere|${[...theirs, ...tokensOf(other)].join("|")}`);
  return { stage, held, hidden, ids: new Map(Object.entries(held.ids).map(([noun, ids]) => [noun, [...ids]])) };
}

const tokensOf = ({ passes, hosts }: Held): string[] =>
  [...Object.values(passes.users), ...hosts.map(({ token }) => token)].map(token => token.replace("Bearer ", ""));

/** What stands where a mark is; a mark for which there is nothing is an id of nobody. */
export function fill(ids: Ground["ids"], text: string): string {
  return text.replaceAll(/<(\w+):(\d+)>/g, (_, noun: string, at: string) => {
    const known = ids.get(noun) ?? [];
    return known[Number(at) % known.length] ?? "nobody";
  });
}

const PREFIXES: Readonly<Record<string, string>> = {
  clu: "cluster",
  job: "job",
  jgr: "group",
  img: "image",
  tok: "token",
  swp: "sweep",
};
const MOST_KNOWN = 30;

/** Ids of earlier answers are asked for later. */
export function learn({ ids }: Ground, answer: HttpAnswer): void {
  const found = [...answer.body.matchAll(/"(?:id|clusterId)":"((\w{3})_[^"]+)"/g)].slice(0, 3);
  for (const [, id = "", prefix = ""] of found) add(ids, PREFIXES[prefix], id);
  const cursor = /"cursor":"([^"]+)"/.exec(answer.body)?.[1];
  if (cursor) add(ids, "cursor", encodeURIComponent(cursor));
}

function add(ids: Ground["ids"], noun: string | undefined, id: string): void {
  if (noun === undefined) return;
  const known = ids.get(noun) ?? [];
  if (!known.includes(id)) known.push(id);
  ids.set(noun, known.slice(-MOST_KNOWN));
}

/** Who asks: nearly always somebody who may. */
type Asker = "right" | "lower" | "nobody" | "forged" | "another kind";
const askers = fc.oneof(
  { weight: 32, arbitrary: fc.constant<Asker>("right") },
  { weight: 8, arbitrary: fc.constantFrom<Asker>("lower", "nobody", "forged", "another kind") },
);
const FORGED = `Bearer mst_tok_${"0".repeat(26)}_${"a".repeat(64)}`;

export function passOf({ held }: Ground, operation: Operation, asker: Asker): Pick<Ask, "token" | "iam"> {
  const { auth } = operation.route;
  const least = (ROLES as readonly unknown[]).indexOf(leastOf(operation.id));
  if (asker === "nobody") return {};
  if (asker === "forged") return { token: FORGED, iam: { userArn: "arn:aws:iam::999:user/eve", accountId: "999" } };
  if (asker === "another kind") return { token: auth === "host" ? held.passes.users.admin : held.passes.host };
  return passFor(held.passes, operation.id, asker === "lower" ? ROLES[Math.max(0, least - 1)] : "admin");
}

export const askOf = ({ ids }: Ground, made: Made): Ask => ({
  params: Object.fromEntries(Object.entries(made.params).map(([name, value]) => [name, fill(ids, value)])),
  query: fill(ids, made.query.replaceAll(/%3C(\w+)%3A(\d+)%3E/g, "<$1:$2>")),
  ...(made.text !== undefined && { raw: fill(ids, made.text), isBase64Encoded: made.bytes }),
});

/** Requests after which the world is made anew: it fills up, and what was removed is missed. */
const RENEWAL = 250;

/** @throws Error with the request at the first answer that must not be. */
export async function fuzz(operation: Operation, runs: number, tally: Tally): Promise<void> {
  let ground = await openGround();
  let sent = 0;
  const key = fc.oneof(
    { weight: 9, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom("k1", "k2", "\u0001", "") },
  );
  const type = fc.oneof(
    { weight: 19, arbitrary: fc.constant("application/json") },
    { weight: 1, arbitrary: fc.constantFrom("text/plain", "application/json; charset=utf-16") },
  );
  const property = fc.asyncProperty(
    requests(operation),
    askers,
    key,
    type,
    async (made, asker, idempotency, contentType) => {
      if (++sent % RENEWAL === 0) ground = await openGround();
      tally.kinds[made.kind]++;
      const ask = { ...askOf(ground, made), ...passOf(ground, operation, asker) };
      await judged(ground, operation, tally, {
        ...ask,
        ...(idempotency !== undefined && { key: idempotency }),
        ...(ask.raw !== undefined && { headers: { "content-type": contentType } }),
      });
    },
  );
  await fc.assert(property, { numRuns: runs, endOnFailure: true });
}

/** Sends one request. @throws Error when its answer, or what was logged of it, must not be. */
export async function judged(ground: Ground, operation: Operation, tally: Tally, ask: Ask): Promise<HttpAnswer> {
  const { logged } = ground.stage;
  const before = logged.length;
  const answer = await ground.stage.send(operation.id, ask);
  note(tally, operation.id, answer);
  learn(ground, answer);
  const complaint = logged.slice(before).find(line => line.level === "error");
  if (isAwaited(operation, answer)) return answer;
  const wrong = amiss(operation, answer, ground.hidden);
  const found = wrong ?? (complaint && `logged: ${complaint.message} ${complaint.fields.error}`);
  if (found)
    throw new Error(`${operation.id} ${JSON.stringify(ask).slice(0, 1500)}\n  answers ${answer.statusCode}: ${found}`);
  return answer;
}

/** A machine that is not on record yet is told to ask again: 503 by design, the only one. */
const isAwaited = ({ id }: Operation, { statusCode, body }: HttpAnswer): boolean =>
  id === "agent.register" && statusCode === 503 && JSON.parse(body).code === "unavailable";

/** Valid requests to any operation, one after the other on the same ground: what one makes the next one reads or ends. */
export async function wander(operations: readonly Operation[], runs: number, tally: Tally): Promise<void> {
  const made = operations.map(operation => validRequests(operation).map(request => ({ operation, request })));
  const walks = fc.array(fc.oneof(...made), { minLength: 5, maxLength: 40, size: "max" });
  const property = fc.asyncProperty(walks, async steps => {
    const ground = await openGround();
    for (const { operation, request } of steps) {
      tally.kinds.valid++;
      await judged(ground, operation, tally, { ...askOf(ground, request), ...passOf(ground, operation, "right") });
    }
  });
  await fc.assert(property, { numRuns: runs, endOnFailure: true });
}
