/** Where a job came from: a commit at a forge, and what happened there. */
import * as z from "zod";

const common = {
  /** Full hash of the commit, 40 or 64 hex digits. */
  sha: z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/),
  /** As git writes it, such as `refs/heads/main`; of a pull request the ref of its head. */
  ref: z.string(),
  /** What happened, in the forge's own word, such as `push` or `pull_request`. */
  event: z.string(),
  /** Who did it there. */
  sender: z.string(),
  /** Where people look at it. */
  url: z.string().optional(),
  /** Number of the pull or merge request. */
  pull: z.number().int().positive().optional(),
  /** Whether the code is a stranger's: of a fork, or of somebody who may not write there. */
  isForeign: z.boolean().optional(),
};

export const Origin = z.discriminatedUnion("forge", [
  z.object({
    forge: z.literal("github"),
    /** Base of its API, such as `https://api.github.com`. */
    api: z.string(),
    /** Owner and name. */
    repository: z.string(),
    ...common,
  }),
  z.object({
    forge: z.literal("gitlab"),
    /** Base of its API, such as `https://gitlab.com/api/v4`. */
    api: z.string(),
    /** Id of the project, as digits. */
    project: z.string(),
    /** Path with namespace. */
    repository: z.string(),
    ...common,
  }),
]);
export type Origin = z.infer<typeof Origin>;
