/**
 * Issuers: who vouches for people and programs that have no token of Muster's. An admin says whom to believe, and what each
 * of them becomes here: the first rule that fits what the issuer says of somebody decides.
 */
import * as z from "zod";
import type { By } from "../actor/actor.ts";
import { MusterError } from "../error.ts";
import * as Event from "../event/event.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import { nearest } from "../near.ts";
import type { Table, Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { load, type Noun, type Stored } from "../record.ts";
import { Name } from "../task/task.ts";
import { problemsOf } from "./narrow.ts";
import { Kind, Rule } from "./rule.ts";

/** The issuer of tokens for jobs of GitHub Actions. (https://docs.github.com/actions/reference/security/oidc) */
export const GITHUB = "https://token.actions.githubusercontent.com";
export const GITLAB = "https://gitlab.com";

const url = z
  .string()
  .max(512)
  .refine(isIssuerUrl, "expected an https:// URL without user, query or fragment, as the issuer's tokens spell it");

const said = {
  kind: Kind.optional(),
  url: url.optional(),
  /** The client that people's programs are at the issuer: a public one. */
  clientId: z.string().min(1).max(256).optional(),
  /** What some issuers want of public clients all the same. It is told to whoever wants to sign in: it is no secret. */
  publicClientSecret: z.string().min(1).max(256).optional(),
  /** What people's sign-in asks for. */
  scopes: z
    .array(z.string().regex(/^[!#-[\]-~]{1,128}$/))
    .max(20)
    .optional(),
  /** One of these must be a token's audience, or the client's id. */
  audiences: z.array(z.string().min(1).max(512)).max(10).optional(),
  /** The claim that people and programs are known by here. */
  as: z.string().min(1).max(128).optional(),
  rules: z.array(Rule).min(1).max(50),
};

export const Issuer = z.object({
  ...said,
  kind: Kind,
  audiences: z.array(z.string()),
  as: z.string(),
  workspace: z.string(),
  name: z.string(),
  createdAt: z.number(),
  changedBy: z.string(),
  changedAt: z.number(),
});
export type Issuer = z.infer<typeof Issuer>;

export const noun: Noun<Issuer> = {
  type: "issuer",
  schema: Issuer,
  fields: new Set(Object.keys(Issuer.shape)),
  key: record => Keys.issuer(record.workspace, record.name),
  indexes: record => ({
    link: Keys.link(Keys.issuing(record.url ?? record.kind), `${record.workspace}#${record.name}`),
  }),
};

/** An issuer as the API shows it. */
export const Info = Issuer.omit({ workspace: true });
export type Info = z.infer<typeof Info>;

export const NameParam = z.object({ name: Name.meta({ description: "Name of the issuer" }) });

/** It is read when somebody signs in, and stands in one item. */
const MOST_LETTERS = 24_000;

/** What an admin may set: the whole of it. */
export const Change = z.strictObject(said).superRefine((change, context) => {
  for (const { path, message } of problemsOf({ ...change, kind: kindOf(change) }))
    context.addIssue({ code: "custom", path: [...path], message });
  if (JSON.stringify(change).length > MOST_LETTERS)
    context.addIssue({ code: "custom", path: ["rules"], message: "this is too much for one issuer" });
});
export type Change = z.infer<typeof Change>;

/** What the issuer vouches for, where that is not said. */
export function kindOf({ kind, url: place, clientId }: Pick<Change, "kind" | "url" | "clientId">): Kind {
  if (kind !== undefined) return kind;
  if (place === GITHUB) return "github";
  if (clientId !== undefined) return "people";
  return place === GITLAB ? "gitlab" : "program";
}

/** Whom tokens are for, from the most to the least natural name. */
export const AS: Readonly<Record<Kind, string>> = {
  people: "email",
  github: "repository",
  gitlab: "project_path",
  program: "sub",
  aws: "principal",
};

export const find = (table: Table, workspace: string, name: string): Promise<Stored<Issuer> | undefined> =>
  load(table, noun, Keys.issuer(workspace, name));

/** @throws MusterError `not_found` with the nearest name. */
export async function get(table: Table, workspace: string, name: string): Promise<Stored<Issuer>> {
  const issuer = await find(table, workspace, name);
  if (issuer !== undefined) return issuer;
  const { items } = await table.query({ pk: Keys.issuers(workspace), prefix: Keys.ISSUER, limit: 100 });
  const near = nearest(
    name,
    items.map(item => String(item.data.name)),
  );
  const message = `there is no issuer '${name}'`;
  const issue = { path: "params.name", message, ...(near && { suggestion: `did you mean ${near}?` }) };
  throw new MusterError("not_found", message, { issues: [issue], hint: "see what there is with: muster issuers list" });
}

/** The line of its history that says what was done to it. */
export function eventOf(
  world: Pick<Basics, "clock" | "random">,
  by: By,
  issuer: Issuer,
  kind: "issuer.set" | "issuer.removed",
): Write {
  const { name, url: place, rules } = issuer;
  const event = {
    id: Id.create(world.random, "event"),
    at: world.clock.now(),
    subject: name,
    kind,
    details: { kind: issuer.kind, ...(place !== undefined && { url: place }), rules: rules.length },
  };
  return { put: Event.draft(noun.key(issuer), by, event), expect: "absent" };
}

/** As OpenID Connect Discovery wants it, which compares it letter by letter. */
function isIssuerUrl(text: string): boolean {
  if (!URL.canParse(text) || !text.startsWith("https://") || /[?#\s\\]/.test(text)) return false;
  const { username, password, host } = new URL(text);
  return username === "" && password === "" && host !== "";
}
