/** The step's end, which GitHub runs when the job is over, however it ended: what still runs of a step that was stopped is cancelled. */
import { getInput, getState, warning } from "@actions/core";
import { muster } from "./muster.ts";
import { closeFolder, settings } from "./session.ts";
import { Left } from "./state.ts";

const folder = getState(Left.FOLDER);
try {
  if (getState(Left.MARK) !== "" && getState(Left.IS_OVER) === "") await cancel();
} finally {
  if (folder !== "") await closeFolder(folder);
}

/** A cluster that was made for the job ends with it. */
async function cancel(): Promise<void> {
  const token = getInput("token");
  const env = {
    ...settings(folder),
    ...(token !== "" && { MUSTER_ENDPOINT: getState(Left.ENDPOINT), MUSTER_TOKEN: token }),
  };
  const { exitCode } = await muster(["cancel", "--label", getState(Left.MARK), "--detach", "--yes"], { env });
  if (exitCode !== 0) warning(`what this step launched may still run: muster cancel --label ${getState(Left.MARK)}`);
}
