/** A python3 that has moto: the machine's own, or a virtual environment that is made once and kept beside node_modules. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

export const MOTO = "5.2.1";
const REQUIREMENT = `moto[server,ec2,s3,dynamodb,stepfunctions,ssm]==${MOTO}`;
const CACHE = fileURLToPath(new URL("../../../node_modules/.cache/muster-moto", import.meta.url));
const INSTALL_TIMEOUT_MS = 170_000;

/** Says where the interpreter itself is: what stands in the PATH may be a shim. Fails unless all that the server needs is there. */
const PROBE = `
import sys
from importlib.metadata import version
import antlr4, flask, flask_cors, jsonpath_ng, moto, py_partiql_parser, werkzeug, yaml
assert version("moto") == "${MOTO}", version("moto")
print(sys.executable)
`;

/** @throws Error that says what to install, when there is none and none can be made. */
export async function findPython(): Promise<string> {
  const venv = join(CACHE, "bin", "python3");
  for (const candidate of ["python3", ...(existsSync(venv) ? [venv] : [])]) {
    const found = await probe(candidate);
    if (found !== undefined) return found;
  }
  return install(CACHE);
}

async function probe(python: string): Promise<string | undefined> {
  try {
    return (await run(python, ["-c", PROBE])).stdout.trim();
  } catch {
    return undefined;
  }
}

/**
 * Makes a virtual environment with moto in it.
 * @returns its interpreter
 */
export async function install(folder: string): Promise<string> {
  // Made aside and moved into place as a whole: two test processes may do this at once.
  const making = `${folder}-${process.pid}`;
  await mkdir(dirname(folder), { recursive: true });
  try {
    await run("python3", ["-m", "venv", making]);
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", REQUIREMENT];
    await run(join(making, "bin", "python3"), pip, { timeout: INSTALL_TIMEOUT_MS });
    await rename(making, folder).catch(async (error: unknown) => {
      if ((await probe(join(folder, "bin", "python3"))) === undefined) throw error;
    });
  } catch (cause) {
    throw new Error(
      `the AWS tests need moto ${MOTO}: install python3 with venv (Debian: apt-get install python3-venv), or run ` +
        `python3 -m pip install "${REQUIREMENT}"`,
      { cause },
    );
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return join(folder, "bin", "python3");
}
