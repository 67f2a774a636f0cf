/** Whether a rule means an event, as far as the event itself tells. */
import type { Facts } from "./facts.ts";
import { lets } from "./glob.ts";
import type { Rule } from "./rules.ts";

/** Why a rule does not mean this event; or what is still to be asked of the forge. */
export type Judged = { readonly skip: string } | { readonly ask: Asking };

export interface Asking {
  /** Whether what has changed is not in the event. */
  readonly paths: boolean;
  /** Whether who commented may do so. */
  readonly commenter: boolean;
}

export function judge(rule: Rule, facts: Facts): Judged {
  const skip = byEvent(rule, facts) ?? byRef(rule, facts) ?? byLabel(rule, facts) ?? byComment(rule, facts);
  if (skip !== undefined) return { skip };
  const known = rule.paths && facts.paths && !facts.isCut;
  const missed = known ? byPaths(rule, facts.paths ?? []) : undefined;
  if (missed !== undefined) return { skip: missed };
  return { ask: { paths: rule.paths !== undefined && !known, commenter: rule.comment !== undefined } };
}

/** Why a rule leaves these paths out; undefined when one of them is let in. */
export function byPaths({ paths: patterns }: Rule, paths: readonly string[]): string | undefined {
  if (patterns === undefined || paths.some(path => lets(patterns, path))) return undefined;
  const { length } = paths;
  return `none of the ${length} changed ${length === 1 ? "path fits" : "paths fit"} ${patterns.join(", ")}`;
}

const nameOf = ({ event, action }: Facts): string => (action === undefined ? event : `${event}.${action}`);

function byEvent({ events }: Rule, facts: Facts): string | undefined {
  const { event, action, alias } = facts;
  const names = [event, ...[action, alias].flatMap(one => (one === undefined ? [] : [`${event}.${one}`]))];
  const isMeant = events.some(one => names.includes(one));
  return isMeant ? undefined : `it is ${nameOf(facts)}, and the rule is for ${events.join(", ")}`;
}

function byRef({ branches, tags }: Rule, { branch, tag, isGone }: Facts): string | undefined {
  if (isGone) return "what it was about is deleted";
  if (branches === undefined && tags === undefined) return undefined;
  if (tag !== undefined && tags !== undefined)
    return lets(tags, tag) ? undefined : `tag ${tag} fits none of ${tags.join(", ")}`;
  if (tag !== undefined) return `it is of tag ${tag}, and the rule is for branches`;
  if (branches === undefined) return "it is of no tag";
  if (branch === undefined) return "it names no branch";
  return lets(branches, branch) ? undefined : `branch ${branch} fits none of ${branches.join(", ")}`;
}

function byLabel({ labels }: Rule, { labels: has = [] }: Facts): string | undefined {
  if (labels === undefined || labels.some(label => has.includes(label))) return undefined;
  return `it has none of the labels ${labels.join(", ")}`;
}

/** A comment that was changed later is not taken: whoever may change comments of others would speak in their name. */
function byComment({ comment: command }: Rule, { comment, action }: Facts): string | undefined {
  if (command === undefined) return undefined;
  if (comment === undefined) return "it is no comment";
  if (action !== undefined && !["created", "create", "submitted"].includes(action)) return `the comment was ${action}`;
  const wanted = plain(command);
  const isThere = comment.split(/\r?\n/).some(line => plain(line) === wanted);
  return isThere ? undefined : `no line of the comment is ${wanted}`;
}

/** A line with one space where there are several. */
const plain = (line: string): string => line.trim().replace(/\s+/gu, " ");
