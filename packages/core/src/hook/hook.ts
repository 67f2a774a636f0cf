/**
 * Hooks: addresses of a workspace that others send events to, and what is launched then.
 *
 * Gotcha: no secret is stored. It follows from the deployment's key, the hook's id and its generation, and is shown when the
 * hook is made and when it is rotated.
 */
import * as z from "zod";
import type { Actor, By } from "../actor/actor.ts";
import { MusterError } from "../error.ts";
import * as Event from "../event/event.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import { nearest } from "../near.ts";
import type { Table, Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { load, type Noun, type Stored } from "../record.ts";
import { EnvName } from "../task/env-name.ts";
import { Name } from "../task/task.ts";
import { Info as RuleInfo, Rules } from "./rules.ts";

/** Who sends: a forge, whoever signs as Standard Webhooks has it, or whoever signs with an HMAC. */
export const Forge = z.enum(["github", "gitlab", "standard", "plain"]);
export type Forge = z.infer<typeof Forge>;

/** What is told of a job at the forge. */
export const Report = z.strictObject({
  status: z.boolean().default(true).meta({ description: "A status of the commit" }),
  comment: z.boolean().default(false).meta({ description: "A comment of the pull request, kept up to date" }),
  check: z.boolean().default(false).meta({ description: "A check run, with the end of the log; wants a GitHub App" }),
});
export type Report = z.infer<typeof Report>;

const said = {
  forge: Forge,
  api: z
    .url({ protocol: /^https?$/ })
    .max(500)
    .regex(/^[^?#@]*[^/?#@]$/, "is the base of its API, without a slash at its end")
    .optional()
    .meta({ description: "Base of the forge's API, where it is not github.com's or gitlab.com's" }),
  token: EnvName.optional().meta({
    description: "Name of the workspace's secret with which the forge is asked, and told",
  }),
  report: Report.default({ status: true, comment: false, check: false }),
  header: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, "is a header's name, in lower case")
    .optional()
    .meta({ description: "Of plain hooks: where the HMAC-SHA-256 of the body is, as hex" }),
};

export const Hook = z.object({
  ...said,
  id: z.string(),
  workspace: z.string(),
  name: z.string(),
  /** In whose name it launches: who set it last. */
  owner: z.string(),
  /** How many rules it has. */
  rules: z.number(),
  /** Counts its secrets. */
  generation: z.number().int(),
  /** Epoch ms until which the secret before is good as well. */
  previousUntil: z.number().optional(),
  createdAt: z.number(),
  changedAt: z.number(),
});
export type Hook = z.infer<typeof Hook>;

export const noun: Noun<Hook> = {
  type: "hook",
  schema: Hook,
  fields: new Set(Object.keys(Hook.shape)),
  key: record => Keys.hook(record.workspace, record.id),
  indexes: record => ({ list: Keys.list(record.workspace, "hook", record.name.toLowerCase()) }),
};

/** A hook as the API shows it. */
export const Info = Hook.omit({ workspace: true }).extend({
  path: z.string().meta({ description: "Where events are sent to, behind the control plane's address" }),
});
export type Info = z.infer<typeof Info>;

export const Details = Info.extend({ list: z.array(RuleInfo).meta({ description: "Its rules" }) });
export type Details = z.infer<typeof Details>;

/** What the sender is given. */
export const Secret = z.object({
  text: z.string().meta({ description: "GitHub's secret, GitLab's secret token, or the key of a plain HMAC" }),
  standard: z.string().meta({ description: "The same for Standard Webhooks, and as GitLab's signing token" }),
});
export type Secret = z.infer<typeof Secret>;

export const Created = Info.extend({ secret: Secret });
export type Created = z.infer<typeof Created>;

/** What a caller may set: the whole of it. */
export const Change = z.strictObject({ ...said, rules: Rules }).superRefine(({ forge, header, rules }, context) => {
  const amiss = (path: (string | number)[], message: string) => context.addIssue({ code: "custom", path, message });
  if (header !== undefined && forge !== "plain") amiss(["header"], "is for plain hooks alone");
  if (forge === "github" || forge === "gitlab") return;
  for (const [index, rule] of rules.entries())
    if (rule.file !== undefined) amiss(["rules", index, "file"], "is for hooks of a forge, which has the file");
});
export type Change = z.infer<typeof Change>;

export const Create = z.strictObject({ name: Name, hook: Change });
export type Create = z.infer<typeof Create>;

export const Rotate = z.strictObject({
  now: z.boolean().optional().meta({ description: "The secret before is good no more" }),
});
export type Rotate = z.infer<typeof Rotate>;

export const Param = z.object({ hook: z.string().min(1).max(63).meta({ description: "Id or name of the hook" }) });

export const info = (hook: Hook): Info => Info.parse({ ...hook, path: `/v1/hooks/${hook.id}` });

const DEFAULT_API = { github: "https://api.github.com", gitlab: "https://gitlab.com/api/v4" } as const;

/** Base of the forge's API; undefined where there is none. */
export const apiOf = ({ forge, api }: Pick<Hook, "forge" | "api">): string | undefined =>
  forge === "github" || forge === "gitlab" ? (api ?? DEFAULT_API[forge]) : undefined;

/** By id or name. @throws MusterError `not_found`, the same for another workspace's hook as for none. */
export async function get(table: Table, workspace: string, reference: string): Promise<Stored<Hook>> {
  const id = Id.is("hook", reference) ? reference : await idOf(table, workspace, reference);
  const hook = id === undefined ? undefined : await load(table, noun, Keys.hook(workspace, id));
  if (hook !== undefined) return hook;
  const { items } = await table.query({ pk: Keys.list(workspace, "hook", "").pk, index: "list", limit: 1000 });
  const names = items.map(item => String(item.data.name));
  const near = nearest(reference, names);
  throw new MusterError("not_found", `there is no hook '${reference}'`, {
    hint: near ? `did you mean '${near}'?` : "see what there is with: muster hooks list",
  });
}

export async function idOf(table: Table, workspace: string, name: string): Promise<string | undefined> {
  const lock = await table.get(Keys.hookName(workspace, name));
  return lock === undefined ? undefined : String(lock.data.id);
}

/** Its rules; undefined when it was removed meanwhile. @throws MusterError `invalid_request` for those of another version */
export async function rulesOf(table: Table, { workspace, id, name }: Hook): Promise<Rules | undefined> {
  const item = await table.get(Keys.hookRules(workspace, id));
  if (item === undefined) return undefined;
  const rules = Rules.safeParse(item.data.rules);
  if (rules.success) return rules.data;
  throw new MusterError("invalid_request", `the rules of hook '${name}' were set by another version`, {
    hint: "set them again: muster hooks set FILE",
  });
}

/** @throws MusterError `forbidden` unless the actor set it or is an admin: it launches in its owner's name. */
export function requireControl(actor: Actor, hook: Hook): void {
  if (hook.owner === actor.id || actor.role === "admin") return;
  throw new MusterError("forbidden", `hook '${hook.name}' belongs to ${hook.owner}`, {
    hint: "its owner or an admin may do that",
  });
}

/** The line of its history that says what was done to it. */
export function eventOf(
  world: Pick<Basics, "clock" | "random">,
  by: By,
  hook: Hook,
  what: "created" | "set" | "rotated" | "replayed" | "removed",
): Write {
  const event = {
    id: Id.create(world.random, "event"),
    at: world.clock.now(),
    subject: hook.id,
    kind: `hook.${what}`,
    details: { name: hook.name, forge: hook.forge },
  };
  return { put: Event.draft(noun.key(hook), by, event), expect: "absent" };
}
