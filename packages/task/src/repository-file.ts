/** Task files of a repository, read where no client is: nothing can be sent, and nobody can be asked. */
import { issuesOf, MusterError } from "@muster/core/error.ts";
import { Create } from "@muster/core/launch/launch.ts";
import type { TaskFile, TaskFiles } from "@muster/core/ports/task-files.ts";
import type { Git } from "@muster/core/task/inputs.ts";
import type { Draft } from "./draft.ts";
import type { Issue } from "./error.ts";
import { fulfil, requireGiven } from "./needs.ts";
import { read } from "./read.ts";
import type { Result } from "./result.ts";

export const taskFiles: TaskFiles = { read: readFile };

/** @throws MusterError `invalid_request`, `unsupported` */
function readFile({ text, path, source }: TaskFile): Create {
  const draft = draftOf(read(text, { path }), path);
  requireHere(draft, path, source);
  requireGiven(draft, path);
  const { task, groups, idle, maxConcurrentJobs, priority } = draft;
  const workdir = typeof draft.workdir === "string" ? source : draft.workdir;
  const launch = {
    task: {
      ...task,
      ...(workdir !== undefined && { workdir }),
      mounts: draft.buckets.map(bucket => ({ kind: "bucket" as const, ...bucket })),
    },
    ...(groups !== undefined && { groups }),
    ...(idle !== undefined && { idle }),
    ...(maxConcurrentJobs !== undefined && { maxConcurrentJobs }),
    ...(priority !== undefined && { priority }),
  };
  const checked = Create.safeParse(launch);
  if (checked.success) return checked.data;
  const issues = issuesOf(checked.error);
  throw new MusterError("invalid_request", `${path}: ${issues[0]?.path}: ${issues[0]?.message}`, { issues });
}

/** The one task of the file. Secrets that it names without a value are the workspace's. */
function draftOf({ tasks, unsupported }: Result, path: string): Draft {
  const [draft, ...more] = tasks;
  if (draft === undefined || draft.pool !== undefined)
    throw new MusterError("invalid_request", `${path} has no task to run`);
  if (more.length > 0)
    throw new MusterError("unsupported", `${path} has ${tasks.length} tasks, and a hook launches one`, {
      hint: "give each a file and a rule of its own",
    });
  if (unsupported.length > 0)
    throw refusal(
      path,
      unsupported.map(({ path: key, why }) => ({ path: key, message: why })),
    );
  return fulfil(
    draft,
    draft.missing.map(({ name }) => name),
  );
}

/** @throws MusterError `unsupported` with all that only somebody's own machine could give. */
function requireHere({ task, workdir, fileMounts }: Draft, path: string, source: Git | undefined): void {
  const issues: Issue[] = [];
  const amiss = (key: string, message: string): void => void issues.push({ path: key, message });
  if (task.run === undefined && task.setup === undefined) amiss("run", "is missing: there is nothing to run");
  if (typeof workdir === "string" && source === undefined)
    amiss("workdir", "is a folder, and the event is of no repository");
  if (typeof workdir === "string" && !/^(?:\.\/?)?$/.test(workdir))
    amiss("workdir", `is '${workdir}': from here it is the whole repository, written as . alone`);
  for (const mount of fileMounts)
    amiss(`file_mounts.${mount.path}`, "is a file of somebody's machine: use it in the working folder instead");
  for (const name of Object.keys(task.secrets))
    amiss(`secrets.${name}`, "has its value in the file: store it in the workspace, and leave the value out");
  if (issues.length > 0) throw refusal(path, issues);
}

const refusal = (path: string, issues: readonly Issue[]): MusterError =>
  new MusterError("unsupported", `${path}: ${issues.map(issue => `${issue.path}: ${issue.message}`).join("; ")}`, {
    issues,
  });
