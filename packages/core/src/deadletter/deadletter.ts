/**
 * Dead letters: what was tried three times and failed. One for each thing that could not be done, however often it fails: it
 * says what, since when, how often and why, and can be tried anew. Two weeks after its last failure it is forgotten.
 */
import * as z from "zod";
import { MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import type { Draft, Expected, Table, Write } from "../ports/table.ts";
import { load, type Noun, type Stored } from "../record.ts";

/** How often something fails before it is one. */
export const TRIES = 3;

/** How long it is kept after the last failure, in ms; and one that has failed less often. */
const KEPT = 14 * 86_400_000;
const KEPT_UNTIL_THEN = 3_600_000;

export const DeadLetter = z.object({
  id: z.string(),
  workspace: z.string(),
  /** What could not be done, for people. */
  what: z.string(),
  /** What rings to have it done; absent where nothing can be done anew. */
  ring: z.record(z.string(), z.unknown()).optional(),
  /** How often it has failed. */
  times: z.number().int(),
  /** Epoch ms. */
  firstAt: z.number(),
  lastAt: z.number(),
  /** Why, the last time. */
  reason: z.string(),
  /** Who had it tried anew, and when; absent: nobody since it last failed. */
  replayedBy: z.string().optional(),
  replayedAt: z.number().optional(),
});
export type DeadLetter = z.infer<typeof DeadLetter>;

export const noun: Noun<DeadLetter> = {
  type: "deadletter",
  schema: DeadLetter,
  fields: new Set(Object.keys(DeadLetter.shape)),
  key: record => Keys.deadLetter(record.workspace, record.id),
  indexes: () => ({}),
};

const ID = /^dl_[0-9a-f]{16}$/;

/**
 * The same thing has the same id, so that it is one letter. Gotcha: what is added must come first; the hash of a text that
 * goes on follows from that of its beginning, and would tell no two things apart.
 */
export const idOf = (subject: string): string =>
  `dl_${[subject, `#${subject}`].map(text => Keys.spread(text).toString(16).padStart(8, "0")).join("")}`;

/** A dead letter as the API shows it. */
export const Info = DeadLetter.omit({ workspace: true, ring: true }).extend({
  id: z.string().meta({ description: "Its id, such as dl_0123456789abcdef" }),
  what: z.string().meta({ description: "What could not be done" }),
  times: z.number().int().meta({ description: "How often it has failed" }),
  firstAt: z.number().meta({ description: "Epoch milliseconds of the first failure" }),
  lastAt: z.number().meta({ description: "Epoch milliseconds of the last one" }),
  reason: z.string().meta({ description: "Why it failed, the last time" }),
  canReplay: z.boolean().meta({ description: "Whether it can be tried anew; what comes again by itself cannot" }),
  replayedAt: z.number().optional().meta({ description: "Epoch milliseconds at which somebody had it tried anew" }),
});
export type Info = z.infer<typeof Info>;

export const IdParam = z.object({ letter: z.string().regex(ID, "expected an id like dl_0123456789abcdef") });

export const info = (letter: DeadLetter): Info => Info.parse({ ...letter, canReplay: letter.ring !== undefined });

/** Whether it has failed so often that it is one. */
export const isDead = ({ times }: Pick<DeadLetter, "times">): boolean => times >= TRIES;

/** @throws MusterError `not_found`. */
export async function get(table: Table, workspace: string, id: string): Promise<Stored<DeadLetter>> {
  const letter = await load(table, noun, Keys.deadLetter(workspace, id));
  if (letter !== undefined && isDead(letter)) return letter;
  throw new MusterError("not_found", `there is no dead letter '${id}'`, {
    hint: "see what there is with: muster deadletters list",
  });
}

/** Writes it as it is to be; the table forgets it some day. @param before as it was read; absent: there was none */
export function written(letter: DeadLetter, before?: Stored<DeadLetter>): Write {
  const data = { ...before?.rest, ...letter };
  const expiresAt = letter.lastAt + (isDead(letter) ? KEPT : KEPT_UNTIL_THEN);
  const put: Draft = { ...noun.key(letter), type: noun.type, data, expiresAt };
  const expect: Expected = before?.version ?? "absent";
  return { put, expect };
}
