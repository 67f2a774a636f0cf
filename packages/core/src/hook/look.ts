/** What the rules of a hook make of a delivery, one after the other. */
import { isRetryable, MusterError } from "../error.ts";
import type { Outside } from "../ports/world.ts";
import type { Stored } from "../record.ts";
import type { Delivery, Result } from "./delivery.ts";
import type { Facts } from "./facts.ts";
import { type Asked, forgeOf } from "./forge.ts";
import type { Hook } from "./hook.ts";
import { launchByRule, Moved } from "./launch-rule.ts";
import { byPaths, judge } from "./match.ts";
import { Outdated } from "./older.ts";
import { type Rule, type Rules, titleOf } from "./rules.ts";
import { WRITERS } from "./set.ts";
import { heldBecause } from "./strangers.ts";

export interface Looked {
  readonly hook: Hook;
  readonly facts: Facts;
  readonly rules: Rules;
}

/** The forge, asked when it is first needed, and once for each thing. */
interface Forge {
  readonly ask: () => Promise<Asked>;
  readonly changed: () => Promise<readonly string[] | undefined>;
  readonly readFile: (at: string, path: string) => Promise<string>;
}

/**
 * @returns the facts with what the forge has told, and a result for each rule. What was launched is written with the launch.
 * @throws MusterError where it is worth another try; Moved when somebody else has gone on with it
 */
export async function look(
  world: Outside,
  delivery: Stored<Delivery>,
  { hook, rules, facts: said }: Looked,
): Promise<{ facts: Facts; results: Result[] }> {
  let facts = said;
  const results: Result[] = [...delivery.results];
  for (const [index, rule] of rules.entries()) {
    if (results[index] !== undefined) continue;
    const title = titleOf(rule, index);
    const forge = asking(world, hook, () => facts);
    const result = await resultOf(async () => {
      facts = await located(rule, facts, forge);
      const skip = await skipped(rule, facts, forge);
      if (skip !== undefined) return { outcome: "skipped", message: skip };
      const held = await heldBecause(world, hook, facts);
      if (held !== undefined) return { outcome: "held", message: held };
      const { id, round } = delivery;
      return launchByRule(world, { hook, rule, title, index, facts, results, id, round, readFile: forge.readFile });
    });
    results.push({ rule: title, ...result });
  }
  return { facts, results };
}

/** A rule that cannot do what it should fails alone. */
async function resultOf(run: () => Promise<Omit<Result, "rule">>): Promise<Omit<Result, "rule">> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof Moved) throw error;
    if (error instanceof Outdated) return { outcome: "skipped", message: error.message };
    if (!(error instanceof MusterError) || isRetryable(error) || error.code === "internal") throw error;
    return { outcome: "failed", message: error.message.slice(0, 400) };
  }
}

function asking(world: Outside, hook: Hook, facts: () => Facts): Forge {
  const ask = once(() => forgeOf(world, hook, facts()));
  return {
    ask,
    changed: once(async () => (await ask()).changed()),
    readFile: async (at, path) => (await ask()).readFile(at, path),
  };
}

function once<T>(get: () => Promise<T>): () => Promise<T> {
  let got: Promise<T> | undefined;
  return () => (got ??= get());
}

/** A comment says which pull request it is of, and not which commit: that is its head now. */
async function located(rule: Rule, facts: Facts, forge: Forge): Promise<Facts> {
  if (facts.pull === undefined || facts.sha !== undefined) return facts;
  const { branches: _b, tags: _t, paths: _p, ...rest } = rule;
  if ("skip" in judge(rest, facts)) return facts;
  const { isForeign, ...head } = await (await forge.ask()).pull(facts.pull);
  return { ...facts, ...head, isForeign: isForeign || undefined };
}

/** Why the rule does not mean it, with what has to be asked. */
async function skipped(rule: Rule, facts: Facts, forge: Forge): Promise<string | undefined> {
  const judged = judge(rule, facts);
  if ("skip" in judged) return judged.skip;
  const { paths, commenter } = judged.ask;
  if (commenter && !(await mayComment(rule, facts, forge)))
    return `${facts.sender} may not: it is for ${(rule.by ?? [WRITERS]).join(", ")}`;
  // Of more than the forge tells, one path may be meant: rather a run too many than one that is missing.
  const changed = paths ? await pathsOf(facts, forge) : undefined;
  return changed && byPaths(rule, changed);
}

async function pathsOf(facts: Facts, forge: Forge): Promise<readonly string[] | undefined> {
  if (facts.sha === undefined) return facts.paths;
  return forge.changed();
}

async function mayComment({ by = [WRITERS] }: Rule, { sender }: Facts, forge: Forge): Promise<boolean> {
  const names = by.filter(name => name !== WRITERS).map(name => name.toLowerCase());
  if (names.includes(sender.toLowerCase())) return true;
  return by.includes(WRITERS) && (await forge.ask()).mayWrite(sender);
}
