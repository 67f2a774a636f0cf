/** Who this step is towards the control plane: a token that it was given, or the workflow's own identity. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setSecret } from "@actions/core";
import type { Inputs } from "./inputs.ts";
import { muster } from "./muster.ts";

/** The folder of a step's configuration: nobody else's, and gone when the job is over. */
export const openFolder = (): Promise<string> => mkdtemp(join(process.env.RUNNER_TEMP ?? tmpdir(), "muster-"));
export const closeFolder = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true });

/** The environment of Muster's commands. @throws Error when the control plane does not let the workflow in */
export async function signIn(
  { endpoint, token, workspace, secrets }: Inputs,
  folder: string,
): Promise<NodeJS.ProcessEnv> {
  const env = settings(folder);
  if (token !== "") {
    setSecret(token);
    return { ...env, ...secrets, MUSTER_ENDPOINT: endpoint, MUSTER_TOKEN: token };
  }
  const where = workspace === "" ? [] : ["--workspace", workspace];
  const { exitCode } = await muster(["login", endpoint, "--github", ...where], { env });
  if (exitCode === 0) return { ...env, ...secrets };
  throw new Error(
    "the control plane did not let this workflow in: its job needs `permissions: id-token: write`, and the control plane a rule for this repository (muster issuers)",
  );
}

/** As a workflow is: nobody to ask, and no terminal. What was stored for other commands on this machine is not used. */
export function settings(folder: string): NodeJS.ProcessEnv {
  const { MUSTER_ENDPOINT: _, MUSTER_TOKEN: __, ...env } = process.env;
  return { ...env, CI: "true", XDG_CONFIG_HOME: folder };
}
