/** The password of a git repository that hosts clone. */
import type { Draft } from "@muster/task/draft.ts";

const NAME = "GIT_TOKEN";

/**
 * The user's own GIT_TOKEN, as a secret of a task whose working folder is a git repository, and which says nothing of it
 * itself. As SkyPilot does it.
 */
export function gitToken(draft: Pick<Draft, "workdir" | "task">, env: NodeJS.ProcessEnv): Record<string, string> {
  const value = env[NAME];
  const { envs, secrets, storedSecrets } = draft.task;
  const isSaid = NAME in envs || NAME in secrets || storedSecrets.includes(NAME);
  return typeof draft.workdir === "object" && value && !isSaid ? { [NAME]: value } : {};
}
