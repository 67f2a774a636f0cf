/** What an event says, in the same words for every forge: all that rules, tasks and reports need of its body. */
import * as z from "zod";

export const Facts = z.object({
  /** The forge's own word, such as `push`, `pull_request` or `merge_request`. */
  event: z.string(),
  action: z.string().optional(),
  /** Another word for the action, where the forge's own says too little. */
  alias: z.string().optional(),
  /** Owner and name, or its path with the namespace. */
  repository: z.string().optional(),
  /** GitLab's id of the project, as digits. */
  project: z.string().optional(),
  /** As git writes it; of a pull request that of its head. */
  ref: z.string().optional(),
  /** What rules call the branch: that which was pushed to, or which a pull request goes into. */
  branch: z.string().optional(),
  tag: z.string().optional(),
  sha: z.string().optional(),
  /** The commit that was there before. */
  before: z.string().optional(),
  /** Absent: the event does not say. */
  paths: z.array(z.string()).optional(),
  /** More have changed than the event says, or than is kept. */
  isCut: z.boolean().optional(),
  labels: z.array(z.string()).optional(),
  comment: z.string().optional(),
  sender: z.string(),
  /** Id of the sender at the forge, as digits. */
  senderId: z.string().optional(),
  pull: z.number().int().positive().optional(),
  url: z.string().optional(),
  title: z.string().optional(),
  /** The commit may be a stranger's: of a fork, or of nobody knows where. */
  isForeign: z.boolean().optional(),
  /** A ref that is gone: nothing can be run there. */
  isGone: z.boolean().optional(),
  /** The forge only asks whether somebody is there. */
  isPing: z.boolean().optional(),
  /** Path of the hook in the forge's API, such as `repos/acme/models/hooks/1`. */
  forgeHook: z.string().optional(),
  /** The body as it came, of senders that are no forges, while it is short. */
  body: z.string().optional(),
});
export type Facts = z.infer<typeof Facts>;

/** The most that is kept of the paths that a push has changed: their number, and their letters. */
const MOST_PATHS = 3000;
const MOST_LETTERS = 120_000;

/** Of a text that people write, in characters. */
export const LONGEST_COMMENT = 20_000;

/** Each once, as many as are kept. */
export function pathsOf(all: Iterable<string>): { paths: string[]; isCut?: true } {
  const paths = new Set<string>();
  let letters = 0;
  for (const path of all) {
    if (paths.has(path)) continue;
    letters += path.length;
    if (paths.size >= MOST_PATHS || letters > MOST_LETTERS) return { paths: [...paths], isCut: true };
    paths.add(path);
  }
  return { paths: [...paths] };
}

/** A commit's full name, unless it is that of none. */
export const shaOf = (text: string | null | undefined): string | undefined =>
  text !== null && text !== undefined && /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(text) && !/^0+$/.test(text)
    ? text
    : undefined;

/** Of a ref: the branch or the tag that it is. */
export function namesOf(ref: string | undefined): { branch?: string; tag?: string } {
  if (ref?.startsWith("refs/heads/")) return { branch: ref.slice("refs/heads/".length) };
  if (ref?.startsWith("refs/tags/")) return { tag: ref.slice("refs/tags/".length) };
  return {};
}

/** What others write, without half characters, and no longer than that. */
export const short = (text: string, most: number): string => text.slice(0, most).toWellFormed();

/** A repository's name, or its path: nothing that would lead elsewhere in a URL. */
export const repositoryOf = (name: string | null | undefined): string | undefined =>
  name && name.length <= 512 && /^[\w.-]+(?:\/[\w.-]+)+$/.test(name) && !/(?:^|\/)\.{1,2}(?:\/|$)/.test(name)
    ? name
    : undefined;

/** What a reader found, with what is not there. */
export type Found = { readonly [K in keyof Facts]?: Facts[K] | null | undefined };

/** Without what is not there. */
export const clean = (facts: Found & Pick<Facts, "event" | "sender">): Facts =>
  Facts.parse(
    Object.fromEntries(
      Object.entries(facts).filter(([, value]) => value !== undefined && value !== null && value !== ""),
    ),
  );
