/** GitLab's REST API, of gitlab.com or of a server of one's own, with a token. https://docs.gitlab.com/api/rest/ */
import { MusterError } from "../error.ts";
import { type Forge, pathOf } from "../forge/call.ts";
import type { Outbound } from "../ports/outbound.ts";
import type { Clock } from "../ports/ports.ts";

export const API = "https://gitlab.com/api/v4";

export interface GitLab extends Forge {
  /** Id of the project, as digits. */
  readonly project: string;
}

/** @throws MusterError `invalid_request` for a secret that is no token, or a project that is none. */
export function gitLab(
  { outbound, clock }: { readonly outbound: Pick<Outbound, "send">; readonly clock: Clock },
  { api, project, secret }: { readonly api: string; readonly project: string; readonly secret: string },
): GitLab {
  const token = secret.trim();
  if (!/^[\x21-\x7e]{1,1024}$/.test(token))
    throw new MusterError("invalid_request", "the stored secret for GitLab is no token");
  if (!/^\d{1,20}$/.test(project))
    throw new MusterError("invalid_request", `'${project.slice(0, 100)}' is no project's id`);
  const headers = async () => ({ accept: "application/json", "user-agent": "muster", "private-token": token });
  return { outbound, clock, name: "GitLab", api: api.replace(/(?<!\/)\/+$/, ""), project, headers };
}

/** A path of the project. */
export const inProject = ({ project }: Pick<GitLab, "project">, ...names: readonly (string | number)[]): string =>
  pathOf("projects", project, ...names);
