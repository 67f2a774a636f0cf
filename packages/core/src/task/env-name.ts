/** Names of variables that a task may set. */
import * as z from "zod";

/** Part of the environment contract under either prefix. */
const CONTRACT = ["NODE_RANK", "NODE_IPS", "NUM_NODES", "NUM_GPUS_PER_NODE", "CLUSTER_INFO"];
const SETUP = ["NODE_RANK", "NODE_IPS", "NUM_GPUS_PER_NODE"];

/** What Muster itself tells a job. A value of the user's would be lost, or believed. */
const SET_BY_MUSTER: ReadonlySet<string> = new Set([
  ...CONTRACT.flatMap(name => [`MUSTER_${name}`, `SKYPILOT_${name}`]),
  ...SETUP.map(name => `SKYPILOT_SETUP_${name}`),
  "SKYPILOT_TASK_ID",
  "MUSTER_JOB_ID",
  "MUSTER_ATTEMPT",
  "MUSTER_ATTEMPT_DIR",
  "MUSTER_ARRAY_ID",
  "MUSTER_RUN_INDEX",
  "MUSTER_NUM_RUNS",
]);

/**
 * What the dynamic loader and the shells read before the first line of a script, so that whoever sets them runs code in
 * whatever starts there, Muster's own wrapper included. ld.so(8), bash(1).
 */
const READ_BEFORE: ReadonlySet<string> = new Set([
  ...["LD_PRELOAD", "LD_AUDIT", "LD_DEBUG", "LD_DEBUG_OUTPUT", "LD_PROFILE", "LD_ORIGIN_PATH", "GLIBC_TUNABLES"],
  ...["GCONV_PATH", "BASH_ENV", "SHELLOPTS", "BASHOPTS", "BASH_XTRACEFD", "PS4", "PROMPT_COMMAND", "IFS"],
]);

/** POSIX's form of an environment variable's name, but for names that mean more than a value. */
export const EnvName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,254}$/, "use letters, digits and '_', not starting with a digit")
  // A map would lose it without a word.
  .refine(name => name !== "__proto__", "is not a name that may be used")
  .refine(name => !SET_BY_MUSTER.has(name), "is set by Muster itself: give the variable another name")
  .refine(
    name => !READ_BEFORE.has(name),
    "changes what the shell or the loader does before the script begins: export it in run instead",
  );
