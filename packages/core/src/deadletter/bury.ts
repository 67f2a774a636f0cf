/** Putting aside what failed again and again, so that it holds up nothing, and is not lost. */
import { retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import type { World } from "../ports/world.ts";
import { load } from "../record.ts";
import * as DeadLetter from "./deadletter.ts";

export interface Failed {
  readonly workspace: string;
  /** What it is about: one letter for each. */
  readonly subject: string;
  /** For people. */
  readonly what: string;
  /** What rings to have it done; absent where it comes again by itself. */
  readonly ring?: Readonly<Record<string, unknown>>;
  /** How often it has failed by now, since the last time that this was said. */
  readonly times: number;
  readonly error: unknown;
}

type Part = Pick<World, "table" | "clock" | "log">;

/** Before it has failed three times in an hour it is only counted, and nobody is shown it. */
export async function bury(world: Part, { workspace, subject, what, ring, times, error }: Failed): Promise<void> {
  const id = DeadLetter.idOf(subject);
  const now = world.clock.now();
  const isDead = await retrying(async () => {
    const before = await load(world.table, DeadLetter.noun, Keys.deadLetter(workspace, id));
    const letter: DeadLetter.DeadLetter = {
      ...{ id, workspace, what, ...(ring && { ring }) },
      ...{ times: (before?.times ?? 0) + times, firstAt: before?.firstAt ?? now, lastAt: now },
      reason: reasonOf(error),
    };
    await world.table.write([DeadLetter.written(letter, before)]);
    return DeadLetter.isDead(letter);
  });
  if (isDead) world.log.count?.("DeadLetters", 1);
}

/** A letter that failed when it was tried anew. Nothing, when somebody has dropped it meanwhile. */
export async function buryAgain(
  world: Part,
  { workspace, id }: { readonly workspace: string; readonly id: string },
  times: number,
  error: unknown,
): Promise<void> {
  await retrying(async () => {
    const before = await load(world.table, DeadLetter.noun, Keys.deadLetter(workspace, id));
    if (before === undefined) return;
    const { version: _, rest: __, replayedAt: ___, replayedBy: ____, ...letter } = before;
    const next = { ...letter, times: letter.times + times, lastAt: world.clock.now(), reason: reasonOf(error) };
    await world.table.write([DeadLetter.written(next, before)]);
  });
  world.log.count?.("DeadLetters", 1);
}

const MOST_LETTERS = 300;
/** What comes later could not be shown; masking it would take long. */
const MOST_READ = 4096;

/** Whatever stands behind the question mark of a URL may be a signature, and what looks like a token is one. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/(https?:\/\/[^\s?]+)\?\S+/g, "$1?…"],
  [/\bmst_[\w-]+/g, "mst_…"],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{12,}/g, "…"],
  [/\b(bearer|password|secret|token|authorization)(["']?\s*[:= ]\s*["']?)[^\s"',}]+/gi, "$1$2…"],
];

/** Why, in one line, and without anything that might be a secret. */
export function reasonOf(error: unknown): string {
  const [line = ""] = String(error instanceof MusterError ? `${error.code}: ${error.message}` : error).split("\n");
  const masked = SECRETS.reduce((text, [pattern, by]) => text.replace(pattern, by), line.slice(0, MOST_READ));
  return masked.length > MOST_LETTERS ? `${masked.slice(0, MOST_LETTERS)}…` : masked;
}
