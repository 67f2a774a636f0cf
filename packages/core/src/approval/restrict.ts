/**
 * What a stranger's commit may launch, once it is approved of: a job on machines that are its own from the beginning and end
 * with it, with nothing that belongs to the workspace. What it asks for beyond that is refused, not left out: a job that
 * runs without what it needs fails in ways that nobody understands.
 */
import { type Issue, MusterError } from "../error.ts";
import type * as Launch from "../launch/launch.ts";
import { choicesOf } from "../provider/choices.ts";
import { containerOf } from "../task/container.ts";
import type { Choice } from "../task/resources.ts";

/** @throws MusterError `invalid_request` with all that it may not ask for. */
export function restricted(launch: Launch.Create): Launch.Create {
  const issues = [...ofLaunch(launch), ...ofTask(launch), ...ofMachines(launch)];
  if (issues.length > 0)
    throw new MusterError(
      "invalid_request",
      `a stranger's commit may not have: ${issues.map(({ path }) => path).join(", ")}`,
      {
        issues,
        hint: "what needs it is run from a branch of the repository itself",
      },
    );
  return { ...launch, shared: false, down: true };
}

const NO_SECRETS = "a stranger's job sees no secrets";
const OWN_CLUSTER = "a stranger's job has a cluster of its own";

function ofLaunch({ cluster, pool, after, force, maxConcurrentJobs }: Launch.Create): Issue[] {
  return amiss([
    ["cluster", cluster !== undefined, OWN_CLUSTER],
    ["pool", pool !== undefined, OWN_CLUSTER],
    ["force", force === true, OWN_CLUSTER],
    ["maxConcurrentJobs", maxConcurrentJobs !== undefined, OWN_CLUSTER],
    ["after", after !== undefined, "a stranger's job waits for none of the workspace's"],
  ]);
}

function ofTask({ task }: Launch.Create): Issue[] {
  const { workdir, mounts, secrets, secretFiles, storedSecrets } = task;
  const isUpload = (workdir !== undefined && "packs" in workdir) || mounts.some(({ kind }) => kind !== "bucket");
  return amiss([
    ["task.secrets", Object.keys(secrets).length > 0, NO_SECRETS],
    ["task.secretFiles", Object.keys(secretFiles).length > 0, NO_SECRETS],
    ["task.storedSecrets", storedSecrets.length > 0, NO_SECRETS],
    // Uploads are the workspace's, whoever knows their hashes.
    ["task.mounts", isUpload, "a stranger's job has its files from its own repository"],
    ["task.role", "role" in task, "a stranger's job has no role"],
  ]);
}

/** What lies within the account: its networks, its images, what it has paid for already. */
const WITHIN = [
  "subnet",
  "securityGroups",
  "reservation",
  "image",
  "images",
] as const satisfies readonly (keyof Choice)[];

function ofMachines({ task, groups = [] }: Launch.Create): Issue[] {
  const all = [task.resources, ...groups.map(({ resources }) => resources)];
  const choices = all.flatMap(resources => choicesOf(resources));
  return WITHIN.filter(key => choices.some(choice => isWithin(choice, key))).map(key => ({
    path: `task.resources.${key}`,
    message: "a stranger's job has nothing that is the account's own",
  }));
}

function isWithin(choice: Choice, key: (typeof WITHIN)[number]): boolean {
  if (key === "image") return choice.image !== undefined && containerOf(choice.image) === undefined;
  return choice[key] !== undefined;
}

const amiss = (checks: readonly (readonly [path: string, isAmiss: boolean, message: string])[]): Issue[] =>
  checks.flatMap(([path, isAmiss, message]) => (isAmiss ? [{ path, message }] : []));
