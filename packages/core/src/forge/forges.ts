/** The forge that something came from, as whoever the hook's stored secret names. */
import { MusterError } from "../error.ts";
import { type GitHub, gitHub } from "../github/github.ts";
import { type GitLab, gitLab } from "../gitlab/gitlab.ts";
import type { Outside } from "../ports/world.ts";
import { readStored } from "../secret/stored.ts";
import type { Origin } from "./origin.ts";

export type Opened =
  | { readonly forge: "github"; readonly github: GitHub }
  | { readonly forge: "gitlab"; readonly gitlab: GitLab };

type Part = Pick<Outside, "table" | "clock" | "secrets" | "outbound" | "signer">;

/** Whose words count for where the forge is: the hook's, and not what was sent to it. */
export type Place =
  | Pick<Extract<Origin, { forge: "github" }>, "forge" | "api" | "repository">
  | Pick<Extract<Origin, { forge: "gitlab" }>, "forge" | "api" | "project">;

/**
 * @param token name of the workspace's secret
 * @throws MusterError `not_found` for a secret that is not there, `invalid_request` for one that is none of this forge, or for
 * none at all; `unavailable` when it cannot be read now.
 */
export async function openForge(
  world: Part,
  {
    workspace,
    token,
    place,
  }: { readonly workspace: string; readonly token: string | undefined; readonly place: Place },
): Promise<Opened> {
  const secret = await secretOf(world, workspace, token);
  if (place.forge === "github") return { forge: "github", github: gitHub(world, { ...place, secret }) };
  return { forge: "gitlab", gitlab: gitLab(world, { ...place, secret }) };
}

async function secretOf(world: Part, workspace: string, name: string | undefined): Promise<string> {
  if (name === undefined)
    throw new MusterError("invalid_request", "the hook names no secret with which its forge can be asked", {
      hint: "store a token (muster secrets set GITHUB_TOKEN), and name it in the hook: token: GITHUB_TOKEN",
    });
  const found = await readStored(world, workspace, [name]);
  if (found === "later") throw new MusterError("unavailable", `secret '${name}' does not show yet`);
  const value = "values" in found ? found.values[name] : undefined;
  if (value !== undefined) return value;
  throw new MusterError("not_found", `the workspace has no secret '${name}'`, {
    hint: `set it with: muster secrets set ${name}`,
  });
}
