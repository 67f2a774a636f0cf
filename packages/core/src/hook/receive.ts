/**
 * Receiving: what a hook is sent is checked over its bytes, kept, and answered. What comes of it is worked off later.
 *
 * Order of events: size; the hook, or the shape of one; signature; only then the body is read. The delivery and what tells it
 * apart are one transaction: of many that are the same, one is kept, and all get its id.
 */
import { retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import { type Write, WriteConflict } from "../ports/table.ts";
import type { Facing } from "../ports/world.ts";
import { insert, load } from "../record.ts";
import * as Delivery from "./delivery.ts";
import { type Facts, short } from "./facts.ts";
import * as Github from "./github.ts";
import * as Gitlab from "./gitlab.ts";
import * as Hook from "./hook.ts";
import * as Other from "./other.ts";
import { keysOf } from "./secret.ts";
import { deliveryOf, type Received, verify } from "./verify.ts";

/** Bytes of a body, at most: what Lambda takes is 6 MB as JSON. */
export const MOST_BYTES = 5_000_000;

/** How long a repetition is known, in ms. GitHub repeats what is three days old at most. */
const REMEMBERED = 7 * 24 * 3_600_000;

export interface Receipt {
  /** Id of the delivery. */
  readonly delivery: string;
  /** Whether it had come before. */
  readonly duplicate: boolean;
}

type Part = Pick<Facing, "table" | "clock" | "random" | "digest">;

/**
 * @throws MusterError `too_large`; `unauthenticated`, the same for an unknown hook as for a wrong signature; `busy`.
 */
export async function receive(world: Part, hookId: string, request: Omit<Received, "now">): Promise<Receipt> {
  if (request.body.length > MOST_BYTES)
    throw new MusterError("too_large", `the body is larger than ${MOST_BYTES} bytes`, { maxBytes: MOST_BYTES });
  const now = world.clock.now();
  const found = await seek(world, hookId);
  const hook = found ?? NOBODY;
  const isGood = verify(world.digest, hook, keysOf(world.digest, hook, now), { ...request, now });
  if (!isGood || found === undefined) throw refused();
  return retrying(() => keep(world, found, request, now));
}

const refused = (): MusterError =>
  new MusterError("unauthenticated", "there is no such hook, or the signature is not its own", {
    hint: "compare the address and the secret with: muster hooks show; a new secret comes with: muster hooks rotate",
  });

/** Whose signature is checked where there is no hook, so that the time it takes tells nothing. */
const NOBODY: Pick<Hook.Hook, "workspace" | "id" | "generation" | "previousUntil" | "forge" | "header"> = {
  ...{ workspace: "", id: "", generation: 1, forge: "github" },
};

async function seek({ table }: Part, id: string): Promise<Hook.Hook | undefined> {
  if (!Id.is("hook", id)) return undefined;
  const owner = await table.get(Keys.hookOwner(id));
  return owner && load(table, Hook.noun, Keys.hook(String(owner.data.workspace), id));
}

async function keep(world: Part, hook: Hook.Hook, request: Omit<Received, "now">, now: number): Promise<Receipt> {
  const { workspace, id: hookId, forge } = hook;
  const { id: senderId, isSure } = deliveryOf(hook, request.headers);
  const facts = read(forge, request);
  const delivery: Delivery.Delivery = {
    id: Id.create(world.random, "hookDelivery"),
    ...{ workspace, hookId, ...summaryOf(facts) },
    ...(senderId !== undefined && { senderId: short(senderId, 100) }),
    ...{ bytes: request.body.length, results: [], round: 0, tries: 0, dueAt: now, createdAt: now, changedAt: now },
  };
  const seen = [
    // What nobody has signed may be made up: the same body under another name is the same delivery.
    ...(isSure ? [] : [`BODY#${world.digest.hashOf(request.body)}`]),
    ...(senderId === undefined ? [] : [`ID#${world.digest.hash(senderId)}`]),
  ].map(what => Keys.hookSeen(workspace, hookId, what));
  const locks = seen.map((key): Write => {
    const put = { ...key, type: "hookseen", data: { delivery: delivery.id }, expiresAt: now + REMEMBERED };
    return { put, expect: "absent" };
  });
  try {
    await world.table.write([insert(Delivery.noun, delivery), Delivery.keepFacts(delivery, facts), ...locks]);
  } catch (error) {
    const first = error instanceof WriteConflict ? firstOf(error) : undefined;
    if (first === undefined) throw error;
    return { delivery: first, duplicate: true };
  }
  return { delivery: delivery.id, duplicate: false };
}

/** The delivery that was there before. */
function firstOf({ conflicts }: WriteConflict): string | undefined {
  const found = conflicts.find(({ found: item }) => item?.type === "hookseen")?.found;
  return found && String(found.data.delivery);
}

/** What stands in the log. */
function summaryOf({ event, action, repository, ref, sha, pull, sender }: Facts) {
  return {
    event: short(event, 100),
    ...(action !== undefined && { action: short(action, 100) }),
    ...(repository !== undefined && { repository: short(repository, 200) }),
    ...(ref !== undefined && { ref: short(ref, 200) }),
    ...(sha !== undefined && { sha }),
    ...(pull !== undefined && { pull }),
    sender: short(sender, 100),
  };
}

/** What it says. A body that cannot be read says nothing, and fits no rule that asks for anything. */
function read(forge: Hook.Forge, { headers, body }: Omit<Received, "now">): Facts {
  const text = decoded(body);
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(headers["content-type"] ?? "");
  const json = parsed(isForm ? (new URLSearchParams(text ?? "").get("payload") ?? "") : (text ?? ""));
  if (forge === "github") return Github.factsOf(short(headers["x-github-event"] ?? "unknown", 100), json);
  if (forge === "gitlab") return Gitlab.factsOf(json);
  return Other.factsOf(json, body.length <= Other.MOST_BODY ? text : undefined);
}

function decoded(body: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
