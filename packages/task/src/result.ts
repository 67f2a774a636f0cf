/** What reading a file takes and gives. */
import type { Wait } from "./after.ts";
import type { Dialect } from "./dialect.ts";
import type { ClusterDraft, Draft, TargetDraft } from "./draft.ts";
import type { Role } from "./parallel.ts";
import type { Unsupported } from "./reading.ts";

/** From `-e NAME=value`. */
export type Given = Readonly<Record<string, string>>;

export interface Options {
  /** Instead of the dialect that the file's markers tell. */
  readonly dialect?: Dialect;
  /** `resources.cloud=local`; they stand over the file. */
  readonly overrides?: readonly string[];
  readonly envs?: Given;
  /** Over what an Oumi job says of spot machines; what `overrides` say stands over this. */
  readonly oumiSpot?: boolean;
  /** Name of the file, for messages. */
  readonly path?: string;
}

/** How the tasks of one file run: one after the other, or at the same time. */
export type Execution = "serial" | "parallel";

/** What a task file says, and what is to be said about it. */
export interface Result {
  readonly dialect: Dialect;
  /** Why it was taken for that dialect, in words; absent for Muster's own form. */
  readonly because?: string;
  /** Nothing in it says whose it is: it was taken for Muster's own form. */
  readonly unmarked?: true;
  /** Of a file of several tasks: the name of them all. */
  readonly name?: string;
  /** Absent for a file of one task. */
  readonly execution?: Execution;
  /** One, or the steps of a pipeline in their order, or the jobs of a group; none in a file that only has clusters or targets. */
  readonly tasks: readonly Draft[];
  /** Of a file of several tasks: what each of them waits for. */
  readonly waits?: readonly (readonly Wait[])[];
  /** Of tasks that run at the same time: what each of them is to the others. */
  readonly roles?: readonly Role[];
  readonly clusters?: readonly ClusterDraft[];
  readonly targets?: readonly TargetDraft[];
  readonly warnings: readonly string[];
  /** What the file asks for and Muster cannot do yet: do not launch it. */
  readonly unsupported: readonly Unsupported[];
}
