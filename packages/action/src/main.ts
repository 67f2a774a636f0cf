/** What GitHub runs: launches the task, shows its log, and fails as it fails. */
import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { saveState, setFailed } from "@actions/core";
import { inputs } from "./inputs.ts";
import { muster } from "./muster.ts";
import { tell } from "./result.ts";
import { openFolder, signIn } from "./session.ts";
import { Left } from "./state.ts";

/** Told to the step's own end before anything is launched: it may be all that is known when the runner is stopped. */
const mark = `github-step=${randomUUID()}`;

try {
  const folder = await openFolder();
  saveState(Left.FOLDER, folder);
  const asked = inputs(mark);
  const env = await signIn(asked, folder);
  saveState(Left.MARK, mark);
  saveState(Left.ENDPOINT, asked.endpoint);
  const { exitCode, answer, reason } = await muster(["launch", ...asked.args], { env, cwd: resolve(asked.folder) });
  // Whatever it came to, nothing of it goes on.
  if (answer !== "") saveState(Left.IS_OVER, "true");
  await tell(answer, exitCode);
  if (exitCode !== 0) setFailed(reason ?? `muster launch exited with ${exitCode}`);
  process.exitCode = exitCode;
} catch (error) {
  setFailed(error instanceof Error ? error.message : String(error));
}
