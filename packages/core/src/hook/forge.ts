/** What is asked of the forge that an event came from. */
import { MusterError } from "../error.ts";
import type { Origin } from "../forge/origin.ts";
import { gitHub } from "../github/github.ts";
import * as GitHub from "../github/repository.ts";
import { gitLab } from "../gitlab/gitlab.ts";
import * as GitLab from "../gitlab/project.ts";
import type { Outside } from "../ports/world.ts";
import { readStored } from "../secret/stored.ts";
import type { Facts } from "./facts.ts";
import { apiOf, type Hook } from "./hook.ts";

/** Developers may push to branches that are not protected. https://docs.gitlab.com/api/members/#roles */
const DEVELOPER = 30;

export interface Asked {
  readFile(at: string, path: string): Promise<string>;
  /** The paths that have changed; undefined when there are more than it tells. */
  changed(): Promise<readonly string[] | undefined>;
  mayWrite(user: string): Promise<boolean>;
  /** Head of the pull request as it is now. */
  pull(number: number): Promise<Pick<Facts, "sha" | "ref" | "branch" | "before"> & { readonly isForeign: boolean }>;
}

/**
 * @throws MusterError `invalid_request` where nobody can be asked: the hook names no token, or the event no repository;
 * `unavailable` while the token's value does not show.
 */
export async function forgeOf(world: Outside, hook: Hook, facts: Facts): Promise<Asked> {
  const secret = await tokenOf(world, hook);
  const api = apiOf(hook);
  if (api === undefined) throw amiss(`events of the kind ${hook.forge} come from no forge`);
  if (hook.forge === "github") return ofGitHub(world, api, secret, facts);
  return ofGitLab(world, api, secret, facts);
}

const amiss = (message: string, hint?: string): MusterError =>
  new MusterError("invalid_request", message, hint === undefined ? {} : { hint });

/** The value of the hook's token. @throws MusterError as above */
export async function tokenOf(world: Outside, { workspace, name, token }: Hook): Promise<string> {
  if (token === undefined)
    throw amiss(`hook '${name}' names no token with which the forge could be asked`, "add token: NAME to the hook");
  const found = await readStored(world, workspace, [token]);
  if (found === "later") throw new MusterError("unavailable", `the secret ${token} does not show yet`);
  const value = "values" in found ? found.values[token] : undefined;
  if (value === undefined) throw amiss(`the secret ${token} of hook '${name}' is gone`, `muster secrets set ${token}`);
  return value;
}

function ofGitHub(world: Outside, api: string, secret: string, facts: Facts): Asked {
  const { repository, pull, before, sha } = facts;
  if (repository === undefined) throw amiss("the event names no repository");
  const forge = gitHub(world, { api, repository, secret });
  return {
    readFile: (at, path) => GitHub.readFile(forge, at, path),
    changed: async () => {
      if (pull !== undefined) return whole(await GitHub.filesOfPull(forge, pull));
      return before && sha ? whole(await GitHub.filesBetween(forge, before, sha)) : undefined;
    },
    mayWrite: user => GitHub.mayWrite(forge, user),
    pull: async number => {
      const { head, base } = await GitHub.readPull(forge, number);
      const own = head.repo?.full_name.toLowerCase() === repository.toLowerCase();
      return { sha: head.sha, ref: `refs/heads/${head.ref}`, branch: base.ref, before: base.sha, isForeign: !own };
    },
  };
}

function ofGitLab(world: Outside, api: string, secret: string, facts: Facts): Asked {
  const { project, pull, before, sha } = facts;
  if (project === undefined) throw amiss("the event names no project");
  const forge = gitLab(world, { api, project, secret });
  return {
    readFile: (at, path) => GitLab.readFile(forge, at, path),
    changed: async () => {
      if (pull !== undefined) return whole(await GitLab.filesOfMergeRequest(forge, pull));
      return before && sha ? whole(await GitLab.filesBetween(forge, before, sha)) : undefined;
    },
    mayWrite: async user => (await GitLab.accessOf(forge, user)) >= DEVELOPER,
    pull: async number => {
      const {
        sha: head,
        source_project_id: from,
        target_project_id: to,
      } = await GitLab.readMergeRequest(forge, number);
      return { ...(head && { sha: head }), isForeign: from !== to };
    },
  };
}

const whole = ({ paths, complete }: { paths: readonly string[]; complete: boolean }): readonly string[] | undefined =>
  complete ? paths : undefined;

/** Where git clones the repository from: beside the API that the hook names, whatever the event says. */
export function cloneOf(
  hook: Pick<Hook, "forge" | "api">,
  { repository }: Pick<Facts, "repository">,
): string | undefined {
  const api = apiOf(hook);
  if (api === undefined || repository === undefined) return undefined;
  const base = api === "https://api.github.com" ? "https://github.com" : api.replace(/\/api\/v[34]$/, "");
  return `${base}/${repository}.git`;
}

/** Where a job comes from; undefined where the event names no commit of a forge. */
export function originOf(hook: Hook, facts: Facts): Origin | undefined {
  const { forge } = hook;
  const { sha, repository, project, event, sender, url, pull, isForeign } = facts;
  const api = apiOf(hook);
  if (api === undefined || sha === undefined || repository === undefined) return undefined;
  const ref = facts.ref ?? "HEAD";
  const common = {
    ...{ api, repository, sha, ref, event, sender },
    ...(url !== undefined && { url }),
    ...(pull !== undefined && { pull }),
    ...(isForeign && { isForeign }),
  };
  if (forge === "github") return { forge, ...common };
  return forge === "gitlab" && project !== undefined ? { forge, project, ...common } : undefined;
}
