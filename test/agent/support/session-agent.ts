/** A process that goes by the name of AWS's session agent; it sleeps. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Runs until it is disposed of. */
export function sessionAgent(): AsyncDisposable {
  const place = mkdtempSync(join(tmpdir(), "ms-"));
  copyFileSync("/bin/sleep", join(place, "amazon-ssm-agent"));
  const child = spawn(join(place, "amazon-ssm-agent"), ["100000"], { stdio: "ignore" });
  return {
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
      rmSync(place, { recursive: true });
    },
  };
}
